"""SIGKILL at the worst moment, on a real database: Discord has the message, the bot has not heard of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from app.bot.domain.dashboards.placements import MARKER_BASE
from tests.support import factories
from tests.support.database import Database
from tests.support.discord.server import DiscordServer
from tests.support.local_discord import CHANNEL, GUILD
from tests.support.waiting import until

ROOT = Path(__file__).parents[4]


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(GUILD, [CHANNEL]) as server:
        yield server


@asynccontextmanager
async def publisher(server: DiscordServer, database: Database) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bot.application.publishing.publisher_process",
        server.base_url,
        server.token,
        database.bot_url,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def killed_in_the_middle(server: DiscordServer, database: Database, method: str, number: int = 1) -> None:
    """Run the publisher until Discord has done so many requests of this method, and kill it before the last answer."""
    done, never = asyncio.Event(), asyncio.Event()
    left = number

    async def hold(request: web.Request) -> None:
        nonlocal left
        left -= request.method == method
        if left == 0:
            done.set()
            await never.wait()

    server.before_answer = hold
    async with publisher(server, database) as process:
        await asyncio.wait_for(done.wait(), 60)
        process.kill()
        await process.wait()
    server.before_answer = None
    never.set()


async def dashboard(owner: asyncpg.Connection, **columns: Any) -> asyncpg.Record:
    await factories.guild(owner, id=GUILD)
    row = await factories.dashboard(owner, guild_id=GUILD, channel_id=CHANNEL, **columns)
    await factories.component(owner, dashboard_id=row["id"], type="text", config={"text": "Hello"})
    return row


async def placement(owner: asyncpg.Connection) -> asyncpg.Record:
    (row,) = await owner.fetch("SELECT * FROM dashboard_messages")
    return row


async def posted(owner: asyncpg.Connection) -> asyncpg.Record:
    async def row() -> asyncpg.Record | None:
        return await owner.fetchrow("SELECT * FROM dashboard_messages WHERE state = 'posted'")

    return await until(row, "the placement to be posted")


async def test_a_message_that_discord_stored_is_adopted_after_kill_9(
    server: DiscordServer, database: Database, owner: asyncpg.Connection
) -> None:
    await dashboard(owner)
    await killed_in_the_middle(server, database, "POST")
    before = await placement(owner)
    assert (before["state"], before["message_id"]) == ("posting", None)
    (message_id,) = server.channels[CHANNEL].messages
    server.channels[CHANNEL].nonces.clear()  # Discord remembers them for minutes only

    async with publisher(server, database):
        after = await posted(owner)
        assert after["message_id"] == message_id
        await until(lambda: after["content_hash"] or server.edit_count(), "the adopted message to get the newest view")
    assert list(server.channels[CHANNEL].messages) == [message_id]
    assert len(server.posts) == 1


async def test_a_renewal_leaves_one_message_after_kill_9(
    server: DiscordServer, database: Database, owner: asyncpg.Connection
) -> None:
    board = await dashboard(owner, renew_after=3_600)
    row = await factories.message(
        owner, dashboard_id=board["id"], channel_id=CHANNEL, posted_at=datetime.now(UTC) - timedelta(hours=2)
    )
    body = {"components": [{"type": 10, "content": "Hello", "id": MARKER_BASE + row["id"]}]}
    old = server.seed(CHANNEL, body, 7_200)
    await owner.execute("UPDATE dashboard_messages SET message_id = $2, state = 'posted' WHERE id = $1", row["id"], old)
    await killed_in_the_middle(server, database, "POST")
    assert len(server.channels[CHANNEL].messages) == 2
    server.channels[CHANNEL].nonces.clear()

    async with publisher(server, database):
        after = await posted(owner)
        assert after["message_id"] != old
    assert list(server.channels[CHANNEL].messages) == [after["message_id"]]
    assert len(server.posts) == 1


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_dashboard_of_three_messages_has_three_after_kill_9_between_its_posts(
    server: DiscordServer, database: Database, owner: asyncpg.Connection, number: int
) -> None:
    await three_messages(owner)
    await killed_in_the_middle(server, database, "POST", number)
    assert len(server.channels[CHANNEL].messages) == number
    server.channels[CHANNEL].nonces.clear()

    async with publisher(server, database):
        await until(lambda: in_order(owner, server), "the rows to know three messages in their order")
    assert len(server.posts) == 3
    assert first_words(server) == ["0", "1", "2"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_mending_the_order_leaves_no_double_after_kill_9(
    server: DiscordServer, database: Database, owner: asyncpg.Connection, method: str
) -> None:
    await three_messages(owner)
    async with publisher(server, database):
        await until(lambda: in_order(owner, server), "three messages")
    del server.channels[CHANNEL].messages[sorted(server.channels[CHANNEL].messages)[0]]
    await killed_in_the_middle(server, database, method, 2)
    server.channels[CHANNEL].nonces.clear()

    async with publisher(server, database):
        await until(lambda: in_order(owner, server), "the rows to know three messages in their order")
    assert first_words(server) == ["0", "1", "2"]


async def three_messages(owner: asyncpg.Connection) -> None:
    """A dashboard whose three texts need a message each."""
    board = await dashboard(owner, layout={"footer": False})
    await owner.execute("DELETE FROM dashboard_components")
    for number in range(3):
        config = {"text": f"{number} " + "x" * 3_000}
        await factories.component(owner, dashboard_id=board["id"], type="text", position=number, config=config)


async def in_order(owner: asyncpg.Connection, server: DiscordServer) -> bool:
    rows = await owner.fetch("SELECT * FROM dashboard_messages ORDER BY position")
    known = [row["message_id"] for row in rows if row["state"] == "posted" and row["content_hash"]]
    return len(known) == 3 and known == sorted(server.channels[CHANNEL].messages)


def first_words(server: DiscordServer) -> list[str]:
    messages = server.channels[CHANNEL].messages
    return [messages[number]["components"][0]["components"][0]["content"].split()[0] for number in sorted(messages)]

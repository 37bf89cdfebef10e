"""The bot, composed and run, on a Discord of HTTP and a gateway, spoken to by the real discord.py."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import discord
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from app.bot.infrastructure.secrets import PostgresSecrets
from app.bot.run import NoTokenError, WrongTokenError, find_token, run_bot
from app.settings import Settings, load_settings
from app.shared.database.core.errors import SchemaTooOldError
from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.database import Database
from tests.support.discord.server import DiscordServer
from tests.support.local_servers import http_server, nobody
from tests.support.waiting import until

GUILD, CHANNEL = 700_000_000_000_000_000, 700_000_000_000_000_001
KEY = Fernet.generate_key().decode()
LOCAL_TOKEN = DiscordServer.token


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with DiscordServer(GUILD, [CHANNEL]) as server:
        monkeypatch.setattr(discord.http.Route, "BASE", server.base_url)
        yield server


def settings(folder: Path, **overrides: Any) -> Settings:
    return load_settings(data_dir=folder, secret_key=KEY, **{"discord_token": LOCAL_TOKEN, **overrides})


async def define(owner: asyncpg.Connection) -> asyncpg.Record:
    await factories.guild(owner, id=GUILD)
    for name in ("collector", "publisher", "heartbeat"):
        await factories.service(owner, name=name, type=name)
    dashboard = await factories.dashboard(owner, guild_id=GUILD, channel_id=CHANNEL)
    return await factories.component(owner, dashboard_id=dashboard["id"], config={"text": "Servers"})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_runs_until_a_signal_and_leaves_nothing_running(
    server: DiscordServer, database: Database, owner: asyncpg.Connection, tmp_path: Path, number: signal.Signals
) -> None:
    component = await define(owner)
    before = asyncio.all_tasks()
    running = asyncio.create_task(run_bot(settings(tmp_path), database.bot_url))
    await until(lambda: server.message_count() == 1, "the message")
    changed = server.expect_edit("Computers")
    await owner.execute(
        "UPDATE dashboard_components SET config = $2 WHERE id = $1", component["id"], {"text": "Computers"}
    )
    await asyncio.wait_for(changed, 30)

    os.kill(os.getpid(), number)
    await asyncio.wait_for(running, 30)

    async def stopped() -> bool:
        return [row["status"] for row in await owner.fetch("SELECT status FROM service_states")] == ["stopped"] * 3

    assert await stopped()
    await until(lambda: not asyncio.all_tasks() - before - {running}, "all tasks to end")
    connections = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'homelab_bot' AND datname = current_database()"

    async def disconnected() -> bool:
        return await owner.fetchval(connections) == 0

    await until(disconnected, "its connections to close")


async def test_the_token_of_the_web_admin_is_used_where_the_environment_has_none(
    owner: asyncpg.Connection, bot_pool: asyncpg.Pool, tmp_path: Path
) -> None:
    box = SecretBox(KEY)
    with pytest.raises(NoTokenError, match="Set DISCORD_TOKEN, or enter it in the web admin"):
        await find_token(settings(tmp_path, discord_token=None), PostgresSecrets(bot_pool, box))

    await factories.secret(owner, box, "from.the.admin", name="discord_token")

    assert await find_token(settings(tmp_path, discord_token=None), PostgresSecrets(bot_pool, box)) == "from.the.admin"
    assert await find_token(settings(tmp_path), PostgresSecrets(bot_pool, box)) == LOCAL_TOKEN


async def test_a_wrong_token_is_one_clear_line_without_the_token(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)

    async with http_server(refuse) as address:
        monkeypatch.setattr(discord.http.Route, "BASE", address)
        with pytest.raises(WrongTokenError) as caught:
            await run_bot(settings(tmp_path), database.bot_url)
    assert "does not accept the token" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert LOCAL_TOKEN not in str(caught.value)


async def test_a_wrong_token_of_the_web_admin_can_be_mended_there(
    server: DiscordServer, database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await define(owner)
    box = SecretBox(KEY)
    await factories.secret(owner, box, "mistyped", name="discord_token")
    with capture_logs() as lines:
        running = asyncio.create_task(run_bot(settings(tmp_path, discord_token=None), database.bot_url))
        await until(lambda: [line for line in lines if "does not accept the token" in line["event"]], "the refusal")
        await owner.execute("UPDATE secrets SET ciphertext = $1", box.seal(LOCAL_TOKEN))
        await until(lambda: server.message_count() == 1, "the message")
        running.cancel()
        await asyncio.wait({running}, timeout=30)
    assert "mistyped" not in str(lines)


async def test_a_token_that_is_reset_while_connected_is_said_to_be_wrong(
    server: DiscordServer, database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await define(owner)
    running = asyncio.create_task(run_bot(settings(tmp_path), database.bot_url))
    await until(lambda: server.message_count() == 1, "the message")
    await server.gateway.close(4004)
    with pytest.raises(WrongTokenError, match="does not accept the token"):
        await asyncio.wait_for(running, 30)


async def test_a_database_without_the_tables_is_one_clear_line(empty_database: Database, tmp_path: Path) -> None:
    with pytest.raises(SchemaTooOldError, match="Run: homelab db upgrade"):
        await run_bot(settings(tmp_path), empty_database.bot_url)


async def test_a_discord_that_cannot_be_reached_is_tried_again(
    server: DiscordServer,
    database: Database,
    owner: asyncpg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await define(owner)
    async with nobody() as address:
        monkeypatch.setattr(discord.http.Route, "BASE", address)
        with capture_logs() as lines:
            running = asyncio.create_task(run_bot(settings(tmp_path), database.bot_url))
            await until(
                lambda: [line for line in lines if "Discord cannot be reached" in line["event"]], "the first attempt"
            )
            monkeypatch.setattr(discord.http.Route, "BASE", server.base_url)
            await until(lambda: server.message_count() == 1, "the message")
            running.cancel()
            await asyncio.wait({running}, timeout=30)
    assert running.cancelled()

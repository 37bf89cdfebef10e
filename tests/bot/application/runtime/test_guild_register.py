from __future__ import annotations

import asyncio

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.bot.application.runtime import guild_register
from app.bot.application.runtime.guild_register import GuildRegister, SeenGuild
from app.bot.domain.guilds import Channel
from app.bot.infrastructure.repositories import PostgresGuilds
from tests.support.waiting import until


async def test_the_newest_picture_of_each_guild_is_written(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    register = GuildRegister(PostgresGuilds(bot_pool))
    register.seen(SeenGuild(1, "Old name", (Channel(10, 1, "old", "text"),)))
    register.seen(SeenGuild(1, "Lab", (Channel(11, 1, "lab", "text"), Channel(12, 1, "news", "news"))))
    register.seen(SeenGuild(2, "Other", ()))
    running = asyncio.create_task(register.run())

    async def guilds() -> bool:
        return [row["name"] for row in await owner.fetch("SELECT name FROM guilds ORDER BY id")] == ["Lab", "Other"]

    await until(guilds, "both guilds")

    async def channels() -> bool:
        return [row["id"] for row in await owner.fetch("SELECT id FROM discord_channels ORDER BY id")] == [11, 12]

    await until(channels, "their channels")
    running.cancel()


async def test_what_could_not_be_written_is_tried_again(
    owner: asyncpg.Connection, bot_pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guild_register, "_AGAIN_SECONDS", 0.02)
    await owner.execute("ALTER TABLE guilds RENAME TO hidden")
    register = GuildRegister(PostgresGuilds(bot_pool))
    with capture_logs() as lines:
        running = asyncio.create_task(register.run())
        register.seen(SeenGuild(1, "Lab", ()))
        await until(lambda: lines, "the one line")
        await owner.execute("ALTER TABLE hidden RENAME TO guilds")

        async def written() -> bool:
            return bool(await owner.fetchval("SELECT count(*) FROM guilds"))

        await until(written, "the guild")
        running.cancel()
    assert [line["event"] for line in lines] == ["guilds cannot be written; trying again"]


async def test_a_guild_that_is_refused_keeps_no_other_from_being_written(
    owner: asyncpg.Connection, bot_pool: asyncpg.Pool
) -> None:
    await owner.execute("ALTER TABLE guilds ADD CONSTRAINT refuses CHECK (name <> 'Refused')")
    register = GuildRegister(PostgresGuilds(bot_pool))
    register.seen(SeenGuild(1, "Refused", ()))
    register.seen(SeenGuild(2, "Lab", ()))
    with capture_logs() as lines:
        await register.flush()
    assert [row["name"] for row in await owner.fetch("SELECT name FROM guilds")] == ["Lab"]
    assert [line["event"] for line in lines] == ["a guild cannot be stored"]

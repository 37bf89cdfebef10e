from __future__ import annotations

import asyncpg

from app.bot.domain.guilds import Channel, Guild
from app.bot.infrastructure.repositories import PostgresGuilds
from tests.support import factories

CHANNELS = "SELECT id, name, position FROM discord_channels ORDER BY id"


async def test_guilds_are_read(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await factories.guild(owner, id=5, name="lab", time_zone="Europe/Berlin", enabled=False)
    (guild,) = await PostgresGuilds(bot_pool).all()
    assert (guild.id, guild.name, guild.time_zone, guild.enabled) == (5, "lab", "Europe/Berlin", False)
    assert isinstance(guild, Guild)


async def test_a_guild_seen_first_is_added_with_its_channels(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    channels = [Channel(1, 5, "general", "text", 0), Channel(2, 5, "lab", "news", 1), Channel(2, 5, "lab", "news", 1)]
    await PostgresGuilds(bot_pool).seen(5, "lab", channels)
    row = await owner.fetchrow("SELECT * FROM guilds")
    assert row is not None
    assert (row["id"], row["name"], row["enabled"], row["time_zone"]) == (5, "lab", True, "UTC")
    assert row["last_seen_at"] is not None
    assert [tuple(channel) for channel in await owner.fetch(CHANNELS)] == [(1, "general", 0), (2, "lab", 1)]


async def test_a_guild_seen_again_keeps_what_the_admin_set_and_forgets_channels_that_are_gone(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    repository = PostgresGuilds(bot_pool)
    await factories.guild(owner, id=5, name="old", enabled=False, time_zone="Asia/Tokyo")
    await factories.channel(owner, id=99, guild_id=6)
    await repository.seen(5, "lab", [Channel(1, 5, "general", "text"), Channel(2, 5, "lab", "text")])
    await repository.seen(5, "lab", [Channel(2, 5, "renamed", "text", 4)])
    guild = next(guild for guild in await repository.all() if guild.id == 5)
    assert (guild.name, guild.enabled, guild.time_zone) == ("lab", False, "Asia/Tokyo")
    assert [tuple(channel) for channel in await owner.fetch(CHANNELS)] == [(2, "renamed", 4), (99, "lab", 0)]


async def test_a_guild_without_channels(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    await PostgresGuilds(bot_pool).seen(5, "nul\x00", [])
    assert await owner.fetchval("SELECT name FROM guilds") == "nul\ufffd"
    assert await owner.fetch(CHANNELS) == []


async def test_being_seen_again_is_no_change_of_the_definition(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    repository = PostgresGuilds(bot_pool)
    await repository.seen(5, "lab", [])
    before = await owner.fetchrow("SELECT * FROM guilds")
    await repository.seen(5, "lab", [])
    after = await owner.fetchrow("SELECT * FROM guilds")
    assert before is not None
    assert after is not None
    assert after["last_seen_at"] > before["last_seen_at"]
    assert after["updated_at"] == before["updated_at"]
    assert await owner.fetchval("SELECT revision FROM definition_revisions WHERE table_name = 'guilds'") == 1

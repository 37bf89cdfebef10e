from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from app.bot.application.runtime.heartbeat import Heartbeat, HeartbeatConfig
from app.bot.domain.guilds import BotInstance
from app.bot.infrastructure.repositories import PostgresBotInstances
from tests.support.waiting import until


async def test_beats_say_how_the_bot_is_now(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    guilds = 0

    def describe() -> BotInstance:
        nonlocal guilds
        guilds += 1
        return BotInstance(
            str(instance_id), 5, "lab", 42, "1.2.3", datetime.now(UTC), 0.05, guilds, metrics={"edits": guilds}
        )

    instance_id = uuid4()
    config = HeartbeatConfig.model_construct(interval_seconds=0.01)
    running = asyncio.create_task(Heartbeat(PostgresBotInstances(bot_pool), describe, config).run())

    async def second() -> asyncpg.Record | None:
        return await owner.fetchrow("SELECT * FROM bot_instances WHERE guild_count > 1")

    row = await until(second, "the second beat")
    running.cancel()
    assert row is not None
    assert (row["id"], row["application_id"], row["version"]) == (instance_id, 5, "1.2.3")
    assert row["metrics"]["edits"] == row["guild_count"]
    assert await owner.fetchval("SELECT count(*) FROM bot_instances") == 1

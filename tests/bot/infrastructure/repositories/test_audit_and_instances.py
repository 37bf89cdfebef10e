from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from app.bot.domain.guilds import AuditEntry, BotInstance
from app.bot.infrastructure.repositories import PostgresAudit, PostgresBotInstances

STARTED = datetime(2026, 1, 2, tzinfo=UTC)


def instance(**fields: object) -> BotInstance:
    return replace(BotInstance(str(uuid4()), 77, "lab", 4242, "0.1.0", STARTED), **fields)


async def test_an_audit_entry_is_appended(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    entry = AuditEntry("discord", "5", "anna\x00", 9, "action.run", "wake", "done", {"took": 1.5})
    await PostgresAudit(bot_pool).record(entry)
    await PostgresAudit(bot_pool).record(replace(entry, guild_id=None, detail={}))
    rows = await owner.fetch("SELECT * FROM audit_log ORDER BY id")
    assert [row["guild_id"] for row in rows] == [9, None]
    assert (rows[0]["actor_name"], rows[0]["action"], rows[0]["target"]) == ("anna\ufffd", "action.run", "wake")
    assert (rows[0]["outcome"], rows[0]["detail"]) == ("done", {"took": 1.5})
    assert rows[0]["at"] is not None


async def test_a_heartbeat_adds_the_process_and_refreshes_it(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresBotInstances(bot_pool)
    first = instance()
    await repository.heartbeat(first)
    before = await owner.fetchrow("SELECT * FROM bot_instances")
    assert before is not None
    assert (str(before["id"]), before["hostname"], before["pid"], before["started_at"]) == (
        first.id,
        "lab",
        4242,
        STARTED,
    )
    await repository.heartbeat(
        replace(first, latency_seconds=0.1, guild_count=3, shard_ids=(0, 1), metrics={"edits": 5}, command_hash="abc")
    )
    (after,) = await owner.fetch("SELECT * FROM bot_instances")
    assert after["last_seen_at"] > before["last_seen_at"]
    assert (after["latency_seconds"], after["guild_count"], after["shard_ids"]) == (0.1, 3, [0, 1])
    assert (after["metrics"], after["command_hash"]) == ({"edits": 5}, "abc")


async def test_processes_not_seen_for_long_are_forgotten(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    repository = PostgresBotInstances(bot_pool)
    await repository.heartbeat(instance())
    await owner.execute("UPDATE bot_instances SET last_seen_at = now() - interval '8 days'")
    await repository.heartbeat(instance(pid=2))
    assert await owner.fetchval("SELECT array_agg(pid) FROM bot_instances") == [2]


async def test_the_newest_known_digest_of_an_applications_commands(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    repository = PostgresBotInstances(bot_pool)
    assert await repository.command_hash(77) is None
    for digest in ("old", "new", None):
        await repository.heartbeat(instance(command_hash=digest))
    await repository.heartbeat(instance(application_id=78, command_hash="other"))
    assert await repository.command_hash(77) == "new"
    assert await repository.command_hash(78) == "other"
    assert await repository.command_hash(79) is None

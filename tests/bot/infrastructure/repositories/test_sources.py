from __future__ import annotations

import asyncio
import dataclasses
import math
from datetime import UTC, datetime, timedelta

import asyncpg

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import SourceState
from app.bot.infrastructure.repositories import PostgresDataSources
from tests.support import factories

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def state(source_id: int, status: Status = Status.UP, at: datetime = NOW, **fields: object) -> SourceState:
    reading = Reading(
        at,
        status,
        "fine",
        (Metric("cpu", 12.5, "percent", {"core": "0"}), Metric("gone", math.nan)),
        {"rows": [{"a": 1}]},
    )
    made = SourceState(source_id, status, "fine", reading, None, at, 0.25)
    return dataclasses.replace(made, **fields)


async def test_states_are_written_and_read_back_as_readings(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    first, second = await factories.data_source(owner), await factories.data_source(owner)
    wanted = state(first["id"])
    await PostgresDataSources(bot_pool).save_states(
        [wanted, state(second["id"], Status.DOWN, reading=None, error="refused")]
    )
    rows = await owner.fetch("SELECT * FROM source_states ORDER BY data_source_id")
    assert Reading.from_json(rows[0]["reading"]) == wanted.reading
    assert (rows[0]["status"], rows[0]["message"], rows[0]["duration_seconds"]) == ("up", "fine", 0.25)
    assert rows[0]["polled_at"] == rows[0]["changed_at"] == NOW
    assert (rows[1]["status"], rows[1]["reading"], rows[1]["error"]) == ("down", None, "refused")


async def test_readings_come_back_by_name_once_for_each_poll(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    sources = [await factories.data_source(owner) for _ in range(3)]
    repository = PostgresDataSources(bot_pool)
    kept, failed, old = (state(source["id"]) for source in sources)
    failed = dataclasses.replace(failed, status="down", reading=None, error="refused")
    await repository.save_states([kept, failed, old])
    await owner.execute("UPDATE source_states SET reading = '{}' WHERE data_source_id = $1", sources[2]["id"])
    found = await repository.readings({})
    expected = [
        kept.reading,
        Reading(
            NOW, Status.DOWN, "refused"
        ),  # without a reading, and with one of another version: what the columns say
        Reading(NOW, Status.UP, "fine"),
    ]
    assert found == {source["name"]: (NOW, reading) for source, reading in zip(sources, expected, strict=True)}
    known = {name: polled_at for name, (polled_at, _) in found.items()}
    assert await repository.readings(known) == {}
    known[sources[0]["name"]] -= timedelta(seconds=1)
    assert list(await repository.readings({**known, "gone": NOW})) == [sources[0]["name"]]


async def test_the_time_of_the_last_change_moves_with_the_status_only(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    source = await factories.data_source(owner)
    repository = PostgresDataSources(bot_pool)
    later = [NOW + timedelta(minutes=minutes) for minutes in range(3)]
    for status, at in zip((Status.UP, Status.UP, Status.DOWN), later, strict=True):
        await repository.save_states([state(source["id"], status, at)])
        row = await owner.fetchrow("SELECT * FROM source_states")
        assert row is not None
        assert row["polled_at"] == at
        assert row["changed_at"] == (later[0] if status == Status.UP else at)


async def test_states_of_sources_that_are_gone_are_dropped_and_the_others_kept(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    source = await factories.data_source(owner)
    await PostgresDataSources(bot_pool).save_states([state(source["id"] + 1), state(source["id"])])
    assert [row[0] for row in await owner.fetch("SELECT data_source_id FROM source_states")] == [source["id"]]


async def test_a_source_deleted_at_this_very_moment_does_not_fail_the_batch(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    kept, gone = await factories.data_source(owner), await factories.data_source(owner)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("DELETE FROM data_sources WHERE id = $1", gone["id"])
    saving = asyncio.create_task(PostgresDataSources(bot_pool).save_states([state(gone["id"]), state(kept["id"])]))
    # The insert saw the source and now waits, in its foreign key, for the delete to be committed.
    while not await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await transaction.commit()
    await saving
    assert [row[0] for row in await owner.fetch("SELECT data_source_id FROM source_states")] == [kept["id"]]


async def test_the_newest_of_two_states_counts_and_none_at_all_is_fine(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    source = await factories.data_source(owner)
    repository = PostgresDataSources(bot_pool)
    await repository.save_states([])
    await repository.save_states([state(source["id"]), state(source["id"], Status.DOWN)])
    assert await owner.fetchval("SELECT status FROM source_states") == "down"


async def test_texts_that_postgresql_cannot_hold_are_written_all_the_same(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    source = await factories.data_source(owner)
    nasty = "nul\x00 lone \ud800"
    reading = Reading(NOW, Status.UP, nasty, (), {"rows": [{nasty: nasty, "inf": math.inf, "at": NOW}]})
    await PostgresDataSources(bot_pool).save_states([state(source["id"], message=nasty, error=nasty, reading=reading)])
    row = await owner.fetchrow("SELECT * FROM source_states")
    assert row is not None
    assert row["message"] == row["error"] == "nul\ufffd lone ?"
    assert row["reading"]["items"]["rows"][0]["inf"] is None

"""History in a real PostgreSQL, written and read with the bot's own rights."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.bot.domain.readings.history import Aggregate, History, HistoryQuery, Retention, Sample, Series
from app.bot.domain.readings.reading import MetricKind
from app.bot.infrastructure.repositories import PostgresHistory
from app.bot.infrastructure.repositories.postgres import StorageRefusedError
from tests.support import factories

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=1)
"""The middle of the hour before this one: nothing is in the future, and five minutes begin here."""


@pytest.fixture
async def source(owner: asyncpg.Connection) -> int:
    row = await factories.data_source(owner, name="nas")
    return int(row["id"])


@pytest.fixture
async def history(bot_pool: asyncpg.Pool) -> PostgresHistory:
    made = PostgresHistory(bot_pool)
    await made.make_partitions(NOW - timedelta(days=40), NOW)
    return made


def samples(source: int, *values: float, start: datetime, every: float = 60, **series: Any) -> list[Sample]:
    line = Series(source, **{"metric": "load", **series})
    return [Sample(line, start + timedelta(seconds=every * number), value) for number, value in enumerate(values)]


async def ask(history: PostgresHistory, until: datetime = NOW, **query: Any) -> History:
    return await history.read(HistoryQuery(**{"source": "nas", "metric": "load", **query}), until)


async def values(history: PostgresHistory, until: datetime = NOW, **query: Any) -> list[float | None]:
    (series,) = (await ask(history, until, **query)).series
    return list(series.values)


async def roll_up(history: PostgresHistory, until: datetime | None = None) -> None:
    while await history.roll_up(until or datetime.now(UTC) + timedelta(hours=2)):
        pass


async def test_samples_come_back_by_step_with_gaps_as_none(history: PostgresHistory, source: int) -> None:
    start = NOW - timedelta(minutes=5)
    await history.write(
        samples(source, 1, 3, start=start, every=30) + samples(source, 8, start=start + timedelta(minutes=3))
    )
    found = await ask(history, start + timedelta(minutes=4, seconds=59), range_seconds=300, step_seconds=60)
    assert found.start == start
    assert found.series[0].values == (2.0, None, None, 8.0, None)


AGGREGATES = {
    "avg": 2.5,
    "min": 0,
    "max": 6,
    "last": 4,
    "count": 4,
    "sum": 10,
    "up": 0.5,
    "increase": 10,
    "rate": 10 / 300,
}


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("step", [300, 3_600])
async def test_every_aggregate_is_the_same_from_every_tier(
    history: PostgresHistory, source: int, aggregate: str, step: int
) -> None:
    wanted = AGGREGATES[aggregate] * (300 / step if aggregate == "rate" else 1)
    await history.write(samples(source, 0, 6, 0, 4, start=NOW))  # a counter that was reset after 6
    for _ in range(2):
        (*_, last) = await values(
            history, NOW + timedelta(minutes=4), range_seconds=step, step_seconds=step, aggregate=Aggregate(aggregate)
        )
        assert last == pytest.approx(wanted)
        await roll_up(history)


async def test_what_is_not_rolled_up_yet_is_read_from_the_samples(history: PostgresHistory, source: int) -> None:
    start = NOW - timedelta(hours=3)
    await history.write(samples(source, *[1.0] * 180, start=start))
    await roll_up(history, start + timedelta(minutes=70))
    for step in (60, 300, 3_600):
        found = await values(history, range_seconds=4 * 3_600, step_seconds=step, aggregate=Aggregate.SUM)
        assert sum(value or 0 for value in found) == 180


async def test_a_late_sample_is_counted(history: PostgresHistory, source: int) -> None:
    early = NOW - timedelta(days=3)
    await history.write(samples(source, 4, start=early))
    await roll_up(history)
    await history.write(samples(source, 10, start=early + timedelta(minutes=2)))
    await roll_up(history)
    for step in (300, 3_600):
        found = await values(history, early + timedelta(minutes=4), range_seconds=step, step_seconds=step)
        assert found == [7.0]


async def test_a_counter_grows_over_the_edges_of_steps_and_resets(history: PostgresHistory, source: int) -> None:
    counter = {"metric": "bytes", "kind": MetricKind.COUNTER}
    start = NOW - timedelta(minutes=20)
    grown = [100, 160, 220, 280, 340, 400, 460, 5, 65, 125]  # every 2 minutes; a reset after the seventh
    await history.write(samples(source, *grown, start=start, every=120, **counter))
    total = sum(60 for _ in range(6)) + 5 + 60 + 60
    for step in (120, 300, 3_600):
        for _ in range(2):
            found = await values(
                history, range_seconds=3_600, step_seconds=step, metric="bytes", aggregate=Aggregate.INCREASE
            )
            assert sum(value or 0 for value in found) == total
            await roll_up(history)


async def test_a_late_sample_of_a_counter_changes_the_span_behind_it(history: PostgresHistory, source: int) -> None:
    start = NOW - timedelta(hours=2)
    await history.write(samples(source, 10, start=start) + samples(source, 50, start=start + timedelta(minutes=6)))
    await roll_up(history)
    await history.write(samples(source, 30, start=start + timedelta(minutes=4)))
    await roll_up(history)
    found = await values(history, range_seconds=4 * 3_600, step_seconds=300, aggregate=Aggregate.INCREASE)
    assert [value for value in found if value] == [20, 20]


async def test_a_clock_that_steps_back_gives_a_time_twice(history: PostgresHistory, source: int) -> None:
    for value in (1, 3):
        await history.write(samples(source, value, start=NOW))
    assert (await values(history, NOW + timedelta(seconds=9), range_seconds=60, step_seconds=60)) == [2.0]


async def test_labels_select_by_subset(history: PostgresHistory, source: int) -> None:
    for core, value in (("0", 1), ("1", 2)):
        labels = (("core", core), ("host", "a"))
        await history.write(samples(source, value, start=NOW, labels=labels, unit="percent"))
    found = await ask(history, NOW, labels=(("host", "a"),), range_seconds=60, step_seconds=60)
    assert [(dict(one.labels)["core"], one.unit, one.values) for one in found.series] == [
        ("0", "percent", (1.0,)),
        ("1", "percent", (2.0,)),
    ]
    (one,) = (await ask(history, NOW, labels=(("core", "1"),), range_seconds=60, step_seconds=60)).series
    assert one.values == (2.0,)


async def test_a_long_range_gets_longer_steps(history: PostgresHistory, source: int) -> None:
    await history.write(samples(source, 1, start=NOW))
    found = await ask(history, range_seconds=365 * 86_400, step_seconds=10)
    assert found.step_seconds == 5 * 3_600
    assert len(found.series[0].values) <= 2_000


async def test_what_is_unknown_is_empty(history: PostgresHistory) -> None:
    assert (await ask(history, source="gone")).series == ()


async def test_samples_of_a_source_deleted_meanwhile_are_left_out(
    history: PostgresHistory, source: int, owner: asyncpg.Connection
) -> None:
    await owner.execute("DELETE FROM data_sources")
    await history.write(samples(source, 1, start=NOW))
    assert await owner.fetchval("SELECT count(*) FROM samples") == 0


async def test_a_unit_that_changes_is_taken_over(
    history: PostgresHistory, source: int, owner: asyncpg.Connection
) -> None:
    for unit in ("bytes", "bits"):
        await history.write(samples(source, 1, start=NOW, unit=unit))
    assert [row["unit"] for row in await owner.fetch("SELECT unit FROM series")] == ["bits"]


async def test_two_bots_roll_up_side_by_side(bot_pool: asyncpg.Pool, history: PostgresHistory, source: int) -> None:
    start = NOW - timedelta(days=2)
    await history.write(samples(source, *range(600), start=start))
    other = PostgresHistory(bot_pool)
    await asyncio.gather(*(roll_up(one) for one in (history, other) for _ in range(3)))
    found = await values(history, range_seconds=3 * 86_400, step_seconds=3_600, aggregate=Aggregate.COUNT)
    assert sum(value or 0 for value in found) == 600


async def test_partitions_are_made_ahead_and_dropped_when_old(
    history: PostgresHistory, source: int, owner: asyncpg.Connection
) -> None:
    async def partitions() -> list[str]:
        rows = await owner.fetch(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'samples'::regclass"
        )
        return sorted(row["relname"] for row in rows)

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert f"samples_p{tomorrow:%Y%m%d}" in await partitions()
    old = NOW - timedelta(days=20)
    await history.write(samples(source, 1, start=old))
    assert f"samples_p{old:%Y%m%d}" in await partitions()
    assert await history.drop_partitions(Retention(raw_days=14)) > 0
    assert min(await partitions()) >= f"samples_p{datetime.now(UTC) - timedelta(days=15):%Y%m%d}"
    assert await history.drop_partitions(Retention(raw_days=14)) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE samples_p20200101 PARTITION OF samples FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')",
        "DROP TABLE samples",
        "DELETE FROM samples",
        "SELECT homelab_drop_partitions('samples', now())",
        "SELECT homelab_drop_partitions('users', now() - interval '2 days')",
        "SELECT homelab_make_partitions('samples', now() - interval '20 years', now())",
        "SELECT homelab_make_partitions('samples', now(), now() + interval '2 years')",
    ],
)
async def test_the_bot_can_do_no_harm_to_the_tables(bot_pool: asyncpg.Pool, statement: str) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
        await bot_pool.execute(statement)


async def test_a_time_without_a_partition_is_refused_as_a_whole(history: PostgresHistory, source: int) -> None:
    old = NOW - timedelta(days=400)
    with pytest.raises(StorageRefusedError):
        await history.write(samples(source, 1, start=NOW) + samples(source, 1, start=old))
    assert (await ask(history, NOW)).series[0].values.count(1.0) == 0

"""History: writing samples beside a raw COPY of the same rows, and a chart of 30 days beside the same from samples.

A month of 1,000 series every 10 seconds is 259 million samples, 20 GiB: more than a benchmark may take. One day of them
is there in full; the rollups, which a chart of 30 days reads, are there for the whole month.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from app.bot.domain.readings.history import Sample, Series
from app.bot.infrastructure.repositories import PostgresHistory
from app.shared.database.core.connection import connect
from app.shared.database.core.migrate import upgrade
from app.shared.database.core.opening import open_database
from app.shared.database.core.pool import create_pool
from app.shared.database.history import read_history

SERIES = 1_000
WRITTEN = 300_000
BATCH = 10_000
RAW_DAYS, CHART_DAYS = 1, 30
EVERY_SECONDS = 10
ROUNDS = 5
_COLUMNS = ("series_id", "at", "value")


async def run() -> None:
    """Print how fast samples are written and a chart's numbers are read."""
    with tempfile.TemporaryDirectory(prefix="homelab-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240  # nothing else runs yet
        with open_database(Path(folder)) as urls:
            await upgrade(urls.owner, urls.bot_password)
            owner = await connect(urls.owner, "bench")
            pool = await create_pool(urls.bot)
            try:
                source = await owner.fetchval(
                    "INSERT INTO data_sources (name, type) VALUES ('lab', 'static') RETURNING id"
                )
                await _writes(owner, pool, source)
                await _reads(owner, source)
            finally:
                await pool.close()
                await owner.close()


async def _writes(owner: asyncpg.Connection, pool: asyncpg.Pool, source: int) -> None:
    """Alternate between both, so that a busy machine is busy for both."""
    history = PostgresHistory(pool)
    now = datetime.now(UTC)
    await history.make_partitions(now - timedelta(days=1), now)
    await owner.execute("CREATE TABLE copied (LIKE samples INCLUDING ALL) PARTITION BY RANGE (at)")
    first = (now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(4):
        start, end = first + timedelta(days=day), first + timedelta(days=day + 1)
        await owner.execute(f"CREATE TABLE copied_{day} PARTITION OF copied FOR VALUES FROM ('{start}') TO ('{end}')")
    lines = [Series(source, "load", (("number", str(number)),), "percent") for number in range(SERIES)]
    await history.write([Sample(line, now, 0.0) for line in lines])
    ours = raw = 0.0
    for batch in range(WRITTEN // BATCH):
        samples = [
            Sample(
                lines[number % SERIES], now - timedelta(seconds=EVERY_SECONDS * (batch * 10 + number // SERIES)), 1.5
            )
            for number in range(BATCH)
        ]
        rows = [(number % SERIES + 1, sample.at, sample.value) for number, sample in enumerate(samples)]
        started = time.perf_counter()
        await history.write(samples)
        ours += time.perf_counter() - started
        started = time.perf_counter()
        await owner.copy_records_to_table("copied", records=rows, columns=_COLUMNS)
        raw += time.perf_counter() - started
    print(
        f"writing {WRITTEN:,} samples in batches of {BATCH:,}: {WRITTEN / ours:,.0f}/s, raw COPY of the same rows into "
        f"the same kind of table {WRITTEN / raw:,.0f}/s: {raw / ours:.0%} (budget: at least 60 %)"
    )


async def _reads(owner: asyncpg.Connection, source: int) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await owner.execute("TRUNCATE samples, rollup_marks")
    await owner.execute(
        "SELECT homelab_make_partitions(tier, $1, $2) FROM unnest(ARRAY['samples', 'samples_five_minutes', "
        "'samples_hours']) AS tier",
        now - timedelta(days=CHART_DAYS + 1),
        now,
    )
    wave = "series.id, at, 50 + 40 * sin(hashint8(series.id + extract(epoch FROM at)::bigint))"
    await _fill(owner, "samples", wave, until=now, days=RAW_DAYS, seconds=EVERY_SECONDS)
    for table, seconds in (("samples_five_minutes", 300), ("samples_hours", 3_600)):
        count = seconds // EVERY_SECONDS
        values = f"series.id, at, 10, 90, {50 * count}, {count}, {count}, 42, at, 0"
        await _fill(owner, table, values, until=now, days=CHART_DAYS, seconds=seconds)
    for count in (1, SERIES):
        hours = await _chart(owner, now, count, CHART_DAYS, 3_600)
        fine = await _chart(owner, now, count, 7, 300)
        day = await _chart(owner, now, count, RAW_DAYS, 3_600)
        raw = await _from_samples(owner, now, count)
        print(f"chart of {count:,} series: 30 days by hours {_ms(hours)}, 7 days by 5 minutes {_ms(fine)}")
        print(
            f"  one day by hours {_ms(day)}, the same from samples {_ms(raw)}: {raw / day:,.0f} x; "
            f"30 days from samples would be about {raw * CHART_DAYS / hours:,.0f} x"
        )
    sizes = await owner.fetch(
        "SELECT parent.relname AS tier, sum(pg_total_relation_size(inhrelid)) AS bytes FROM pg_inherits "
        "JOIN pg_class AS parent ON parent.oid = inhparent WHERE parent.relkind = 'p' GROUP BY 1 ORDER BY 1"
    )
    shown = {row["tier"]: row["bytes"] / 2**20 for row in sizes if row["tier"] != "copied"}
    print(
        f"on disk: {shown['samples']:,.0f} MiB a day of samples, {shown['samples_five_minutes']:,.0f} MiB a month of "
        f"5 minutes, {shown['samples_hours']:,.0f} MiB a month of hours"
    )


async def _fill(
    owner: asyncpg.Connection, table: str, values: str, *, until: datetime, days: int, seconds: int
) -> None:
    await owner.execute(
        f"INSERT INTO {table} SELECT {values} "
        "FROM generate_series($1::timestamptz, $2::timestamptz, $3::interval) AS at CROSS JOIN series",
        until - timedelta(days=days),
        until - timedelta(seconds=seconds),
        timedelta(seconds=seconds),
        timeout=600,
    )
    await owner.execute(f"ANALYZE {table}", timeout=600)


async def _chart(owner: asyncpg.Connection, now: datetime, series: int, days: int, step: int) -> float:
    async def ask() -> None:
        found = await read_history(
            owner.fetch,
            source="lab",
            metric="load",
            labels={"number": "7"} if series == 1 else {},
            range_seconds=days * 86_400,
            step_seconds=step,
            aggregate="avg",
            until=now - timedelta(seconds=1),
            max_series=SERIES,
        )
        assert len(found.series) == series
        assert None not in found.series[0].values

    return await _fastest(ask)


async def _from_samples(owner: asyncpg.Connection, now: datetime, series: int) -> float:
    condition = 'labels = \'{"number": "7"}\'' if series == 1 else "true"

    async def ask() -> None:
        rows: list[Any] = await owner.fetch(
            "SELECT series_id, floor(extract(epoch FROM at - $1::timestamptz) / 3600)::int AS step, avg(value) "
            "FROM samples WHERE at >= $1::timestamptz AND at < $2::timestamptz "
            f"AND series_id IN (SELECT id FROM series WHERE {condition}) GROUP BY series_id, step",
            now - timedelta(days=RAW_DAYS),
            now,
        )
        assert len(rows) == series * RAW_DAYS * 24

    return await _fastest(ask)


async def _fastest(ask: Any) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - started)
    return min(times)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"


if __name__ == "__main__":
    asyncio.run(run())

"""History in PostgreSQL: samples by COPY, rollups from marks, partitions by the owner's functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from app.bot.domain.readings.history import (
    History,
    HistoryQuery,
    HistoryRepository,
    Retention,
    Sample,
    Series,
    SeriesHistory,
)
from app.bot.infrastructure.repositories.postgres import Pool, fetch, named_failures
from app.shared.database.history import LOOKBACK, read_history

_FIVE_MINUTES, _HOUR = timedelta(minutes=5), timedelta(hours=1)
_AHEAD = timedelta(days=2)
"""How far ahead partitions are made: a bot that cannot make new ones for a day still writes."""
_AHEAD_MONTHS = timedelta(days=32)
_MARKS_AT_ONCE = 48
"""Spans rolled up in one transaction: four hours after a long pause, which takes about a second."""

_MAKE_SERIES = """
INSERT INTO series AS known (data_source_id, metric, labels, unit, kind)
SELECT new.source, new.metric, new.labels, new.unit, new.kind
FROM unnest($1::bigint[], $2::text[], $3::jsonb[], $4::text[], $5::text[]) AS new(source, metric, labels, unit, kind)
JOIN data_sources ON data_sources.id = new.source
ON CONFLICT (data_source_id, metric, labels) DO UPDATE SET unit = excluded.unit, kind = excluded.kind
RETURNING id, data_source_id, metric, labels
"""
_MARK = "INSERT INTO rollup_marks (tier, at) SELECT $1, unnest($2::timestamptz[]) ON CONFLICT DO NOTHING"
# The rows are locked in one order by all who come here, and a second program passes over what a first works on.
_TAKE_MARKS = """
DELETE FROM rollup_marks WHERE (tier, at) IN (
    SELECT tier, at FROM rollup_marks WHERE tier = $1 AND at <= $2 ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED
) RETURNING at
"""
# The span behind a late sample is rolled up again too: what a counter has grown by there depends on it.
_ROLL_UP_SAMPLES = """
INSERT INTO samples_five_minutes AS known
    (series_id, at, minimum, maximum, total, count, up_count, last, last_at, increase)
SELECT series_id, span, min(value), max(value), sum(value), count(*), count(*) FILTER (WHERE value <> 0),
       (array_agg(value ORDER BY at DESC))[1], max(at),
       sum(CASE WHEN previous IS NULL THEN 0 WHEN value < previous THEN value ELSE value - previous END)
FROM (
    SELECT series_id, at, value, date_bin('5 minutes', at, 'epoch') AS span,
           lag(value) OVER (PARTITION BY series_id ORDER BY at) AS previous
    FROM samples WHERE at >= $2::timestamptz - $4::interval AND at < $3::timestamptz
) AS pairs
WHERE span = ANY ($1::timestamptz[])
GROUP BY series_id, span ORDER BY series_id, span
ON CONFLICT (series_id, at) DO UPDATE SET
    minimum = excluded.minimum, maximum = excluded.maximum, total = excluded.total, count = excluded.count,
    up_count = excluded.up_count, last = excluded.last, last_at = excluded.last_at, increase = excluded.increase
"""
_ROLL_UP_FIVE_MINUTES = """
INSERT INTO samples_hours AS known
    (series_id, at, minimum, maximum, total, count, up_count, last, last_at, increase)
SELECT series_id, date_trunc('hour', at, 'UTC') AS span, min(minimum), max(maximum), sum(total), sum(count),
       sum(up_count), (array_agg(last ORDER BY last_at DESC))[1], max(last_at), sum(increase)
FROM samples_five_minutes WHERE date_trunc('hour', at, 'UTC') = ANY ($1::timestamptz[])
    AND at >= $2::timestamptz AND at < $3::timestamptz
GROUP BY series_id, span ORDER BY series_id, span
ON CONFLICT (series_id, at) DO UPDATE SET
    minimum = excluded.minimum, maximum = excluded.maximum, total = excluded.total, count = excluded.count,
    up_count = excluded.up_count, last = excluded.last, last_at = excluded.last_at, increase = excluded.increase
"""


class PostgresHistory(HistoryRepository):
    """The past of metrics in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ids: dict[Series, int] = {}

    async def write(self, samples: Sequence[Sample]) -> None:
        """Add samples, and mark what their rollups have not seen. All or nothing; partitions must be there.

        Samples of a source that was deleted meanwhile are left out.
        """
        await self._know({sample.series for sample in samples} - self._ids.keys())
        ids = self._ids
        rows = [(ids[series], at, value) for series, at, value in samples if series in ids]
        spans = {_span(at, _FIVE_MINUTES) for at in {sample.at for sample in samples}}
        now = _span(datetime.now(UTC), _FIVE_MINUTES)
        marks = sorted(spans | {span + _FIVE_MINUTES for span in spans if span < now})
        async with named_failures(), self._pool.acquire() as connection, connection.transaction():
            await connection.copy_records_to_table(
                "samples", records=rows, columns=("series_id", "at", "value"), timeout=60
            )
            await connection.execute(_MARK, "samples_five_minutes", marks)

    async def make_partitions(self, first: datetime, last: datetime) -> None:
        """Make the partitions of a time, in every tier, where they are missing."""
        for tier, ahead in (
            ("samples", _AHEAD),
            ("samples_five_minutes", _AHEAD_MONTHS),
            ("samples_hours", _AHEAD_MONTHS),
        ):
            await fetch(self._pool, "SELECT homelab_make_partitions($1, $2, $3)", tier, first, last + ahead)

    async def drop_partitions(self, retention: Retention) -> int:
        """Drop what is older than it is kept; the number of partitions dropped."""
        dropped = 0
        for tier, days in (
            ("samples", retention.raw_days),
            ("samples_five_minutes", retention.five_minutes_days),
            ("samples_hours", retention.hours_days),
        ):
            before = datetime.now(UTC) - timedelta(days=days)
            rows = await fetch(self._pool, "SELECT homelab_drop_partitions($1, $2) AS dropped", tier, before)
            dropped += rows[0]["dropped"]
        return dropped

    async def roll_up(self, until: datetime) -> int:
        """Roll up marked spans that ended by `until`; the number of spans. Call it again until it is 0."""
        async with named_failures(), self._pool.acquire() as connection, connection.transaction():
            five = await connection.fetch(_TAKE_MARKS, "samples_five_minutes", until - _FIVE_MINUTES, _MARKS_AT_ONCE)
            spans = [row["at"] for row in five]
            if spans:
                await connection.execute(
                    _ROLL_UP_SAMPLES, spans, min(spans), max(spans) + _FIVE_MINUTES, LOOKBACK, timeout=120
                )
                await connection.execute(_MARK, "samples_hours", sorted({_span(span, _HOUR) for span in spans}))
            # An hour waits for its last five minutes, so it is seldom rolled up twice.
            hours = await connection.fetch(_TAKE_MARKS, "samples_hours", until - _HOUR - _FIVE_MINUTES, _MARKS_AT_ONCE)
            hour_spans = [row["at"] for row in hours]
            if hour_spans:
                await connection.execute(
                    _ROLL_UP_FIVE_MINUTES, hour_spans, min(hour_spans), max(hour_spans) + _HOUR, timeout=120
                )
        return len(spans) + len(hour_spans)

    async def read(self, query: HistoryQuery, until: datetime) -> History:
        """Return what a query gives up to a moment."""
        async with named_failures(), self._pool.acquire() as connection:
            steps = await read_history(
                connection.fetch,
                source=query.source,
                metric=query.metric,
                labels=dict(query.labels),
                range_seconds=query.range_seconds,
                step_seconds=query.step_seconds,
                aggregate=query.aggregate.value,
                until=until,
            )
        series = tuple(
            SeriesHistory(one.metric, tuple(sorted(one.labels.items())), one.unit, one.values) for one in steps.series
        )
        return History(steps.start, steps.step_seconds, series)

    async def _know(self, unknown: Collection[Series]) -> None:
        """Make the series that are new; one whose unit changed takes the new unit."""
        if not unknown:
            return
        made = await fetch(
            self._pool,
            _MAKE_SERIES,
            [series.source_id for series in unknown],
            [series.metric for series in unknown],
            [dict(series.labels) for series in unknown],
            [series.unit for series in unknown],
            [series.kind.value for series in unknown],
        )
        ids = {(row["data_source_id"], row["metric"], tuple(sorted(row["labels"].items()))): row["id"] for row in made}
        for series in unknown:
            number = ids.get((series.source_id, series.metric, series.labels))
            if number is not None:
                self._ids[series] = number


def _span(moment: datetime, length: timedelta) -> datetime:
    seconds = length.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)

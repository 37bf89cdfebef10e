"""Reading history: one query for all tiers, for the bot and for the web admin's previews.

The past lies in three tiers: samples as they came, and rollups of five minutes and of hours. A query reads the coarsest
tier that its step allows, and what of the newest time is not rolled up yet from the finer one, so nothing is missing
and nothing is counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

FIVE_MINUTES, HOUR = 300.0, 3_600.0
MAX_STEPS = 2_000
"""More points than a chart has pixels; a longer range gets longer steps."""
MAX_SERIES = 200
"""More lines than anybody tells apart, and a bound of what a query may bring into memory."""
LOOKBACK = timedelta(hours=1)
"""How far before the first sample of a time its predecessor is looked for, to tell how far a counter has grown."""

_VALUES = {
    "avg": "sum(total) / sum(count)",
    "min": "min(minimum)",
    "max": "max(maximum)",
    "last": "(array_agg(last ORDER BY last_at DESC))[1]",
    "count": "sum(count)::float8",
    "sum": "sum(total)",
    "up": "sum(up_count)::float8 / sum(count)",
    "increase": "sum(increase)",
    "rate": "sum(increase) / $6::float8",
}

# A counter that falls was reset: what it shows since is what it has grown by.
_RAW_WITH_INCREASE = """
SELECT series_id, at, value AS minimum, value AS maximum, value AS total, 1 AS count, (value <> 0)::int AS up_count,
       value AS last, at AS last_at,
       CASE WHEN previous IS NULL THEN 0 WHEN value < previous THEN value ELSE value - previous END AS increase
FROM (
    SELECT series_id, at, value, lag(value) OVER (PARTITION BY series_id ORDER BY at) AS previous
    FROM samples WHERE series_id = ANY ($1) AND at >= {start} - interval '1 hour' AND at < {end}
) AS pairs WHERE at >= {start}
"""
_RAW = """
SELECT series_id, at, value AS minimum, value AS maximum, value AS total, 1 AS count, (value <> 0)::int AS up_count,
       value AS last, at AS last_at, 0 AS increase
FROM samples WHERE series_id = ANY ($1) AND at >= {start} AND at < {end}
"""
_ROLLED = """
SELECT series_id, at, minimum, maximum, total, count, up_count, last, last_at, increase
FROM {table} WHERE series_id = ANY ($1) AND at >= {start} AND at < {end}
"""
_STEPS = """
SELECT series_id, floor(extract(epoch FROM at - $2::timestamptz) / $6::float8)::int AS step, {value} AS value
FROM ({parts}) AS part
WHERE $3::timestamptz IS NOT NULL AND $4::timestamptz IS NOT NULL AND $5::timestamptz IS NOT NULL
GROUP BY series_id, step ORDER BY series_id, step
"""


Fetch = Callable[..., Awaitable[Sequence[Any]]]
"""asyncpg's `fetch` of a connection: a query and its arguments to rows."""


@dataclass(frozen=True, slots=True)
class SeriesSteps:
    """A series and its values by step; a step without samples is None."""

    metric: str
    labels: Mapping[str, str]
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """What a query gives: `start` is the beginning of the first step."""

    start: datetime
    step_seconds: float
    series: tuple[SeriesSteps, ...]
    left_out: int = 0


async def read_history(
    fetch: Fetch,
    *,
    source: str,
    metric: str,
    labels: Mapping[str, str],
    range_seconds: float,
    step_seconds: float,
    aggregate: str,
    until: datetime,
    max_series: int = MAX_SERIES,
) -> Steps:
    """Return the values of every series of a source's metric that has all of `labels`, in steps up to `until`.

    Steps begin at whole multiples of their length since 1970 (UTC), so they stay where they are from one query to the
    next; the last one contains `until`. A range of more than MAX_STEPS steps gets longer ones. Series beyond
    `max_series` are counted in `left_out`. Raises KeyError for an aggregate that there is not.
    """
    value = _VALUES[aggregate]
    step = _fitting_step(range_seconds, step_seconds)
    count = max(1, math.ceil(range_seconds / step))
    end = (math.floor(until.timestamp() / step) + 1) * step
    start = end - count * step
    found = await fetch(
        "SELECT series.id, series.metric, series.labels, series.unit, count(*) OVER () AS known FROM series "
        "JOIN data_sources ON data_sources.id = series.data_source_id "
        "WHERE data_sources.name = $1 AND series.metric = $2 AND series.labels @> $3 ORDER BY series.id LIMIT $4",
        source,
        metric,
        dict(labels),
        max_series,
    )
    values: dict[int, list[float | None]] = {row["id"]: [None] * count for row in found}
    if values:
        marks = await _rolled_until(fetch)
        parts = _parts(step, counts_growth=aggregate in ("increase", "rate"))
        rows = await fetch(
            _STEPS.format(value=value, parts=" UNION ALL ".join(parts)),
            list(values),
            _moment(start),
            _moment(end),
            *(min(max(mark, _moment(start)), _moment(end)) for mark in marks),
            step,
        )
        for row in rows:
            if 0 <= row["step"] < count and row["value"] is not None and math.isfinite(row["value"]):
                values[row["series_id"]][row["step"]] = row["value"]
    series = tuple(SeriesSteps(row["metric"], row["labels"], row["unit"], tuple(values[row["id"]])) for row in found)
    return Steps(_moment(start), step, series, (found[0]["known"] if found else 0) - len(found))


def _fitting_step(range_seconds: float, step_seconds: float) -> float:
    """Return the step, longer where the range has too many of it; whole multiples of a rollup from that on."""
    step = max(step_seconds, range_seconds / MAX_STEPS, 1.0)
    for unit in (HOUR, FIVE_MINUTES):
        if step >= unit:
            return math.ceil(step / unit) * unit
    return float(math.ceil(step))


def _parts(step: float, *, counts_growth: bool) -> list[str]:
    """Return the tiers to read: $2 to $3 is the whole time; no hours from $4, no five minutes from $5 on yet."""
    raw = _RAW_WITH_INCREASE if counts_growth else _RAW
    if step < FIVE_MINUTES:
        return [raw.format(start="$2::timestamptz", end="$3::timestamptz")]
    newest = raw.format(start="$5::timestamptz", end="$3::timestamptz")
    if step < HOUR:
        return [_ROLLED.format(table="samples_five_minutes", start="$2::timestamptz", end="$5::timestamptz"), newest]
    return [
        _ROLLED.format(table="samples_hours", start="$2::timestamptz", end="$4::timestamptz"),
        _ROLLED.format(table="samples_five_minutes", start="$4::timestamptz", end="$5::timestamptz"),
        newest,
    ]


async def _rolled_until(fetch: Fetch) -> tuple[datetime, datetime]:
    """Until when the hours are complete, and the five minutes.

    Marks of late samples lie further back. They are worked off within a minute; so long their time is read from the
    finer tier too, unless it is so far back that this would be the whole of it.
    """
    rows = await fetch(
        "SELECT tier, min(at) AS at FROM rollup_marks WHERE at > now() - interval '2 days' GROUP BY tier"
    )
    marks = {row["tier"]: row["at"] for row in rows}
    latest = datetime.max.replace(tzinfo=UTC)
    five_minutes = marks.get("samples_five_minutes", latest)
    hours = min(marks.get("samples_hours", latest), _hour_of(five_minutes))
    return hours, five_minutes


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

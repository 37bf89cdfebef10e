"""The past of metrics: what is asked for, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.bot.domain.readings.reading import MetricKind


class Aggregate(StrEnum):
    """How the samples of one step become one value. `up` is the share of samples with a value other than 0."""

    AVG = "avg"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    COUNT = "count"
    SUM = "sum"
    UP = "up"
    RATE = "rate"
    INCREASE = "increase"


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """The last `range_seconds` of a metric in steps of `step_seconds`.

    `labels` (pairs in order of their names) select every series that has them all, so several series may match.
    """

    source: str
    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    range_seconds: float = 3_600.0
    step_seconds: float = 60.0
    aggregate: Aggregate = Aggregate.AVG


@dataclass(frozen=True, slots=True)
class SeriesHistory:
    """One series: a value for each step, None where there was no sample."""

    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    values: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What a query found. `values[i]` of each series is of the time from `start` + i steps on, one step long."""

    start: datetime
    step_seconds: float
    series: tuple[SeriesHistory, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Series:
    """What samples over time belong to: a metric of a data source with its labels, pairs in order of their names."""

    source_id: int
    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    kind: MetricKind = MetricKind.GAUGE
    _hash: int = field(init=False, compare=False, repr=False, default=0)

    def __post_init__(self) -> None:
        # Every sample that is written looks its series up, so the hash is computed once.
        object.__setattr__(self, "_hash", hash((self.source_id, self.metric, self.labels)))

    def __hash__(self) -> int:
        return self._hash


class Sample(NamedTuple):
    """A value of a series at a time."""

    series: Series
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days each tier is kept."""

    raw_days: float = 14.0
    five_minutes_days: float = 90.0
    hours_days: float = 730.0


class HistoryRepository(Protocol):
    """Keeps history. Every method raises StorageUnavailableError, MissingTableError or MissingColumnError."""

    async def write(self, samples: Sequence[Sample]) -> None:
        """Add samples, all or none."""
        ...

    async def make_partitions(self, first: datetime, last: datetime) -> None:
        """Make room for samples of a time."""
        ...

    async def drop_partitions(self, retention: Retention) -> int:
        """Drop what is older than it is kept; the number of partitions dropped."""
        ...

    async def roll_up(self, until: datetime) -> int:
        """Roll up a bounded part of what ended by `until`; 0 when nothing is left to do."""
        ...

    async def read(self, query: HistoryQuery, until: datetime) -> History:
        """Return what a query gives up to a moment."""
        ...


class Histories(Protocol):
    """The past of metrics, from memory."""

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        """Return what the query gives, up to one step old.

        None while it is not loaded: the dashboard is woken when it is.

        Raises UnknownSourceError, or a HomelabError that says why the history cannot be had.
        """
        ...


class NoHistories:
    """Stands where there is no history: every query finds nothing."""

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        """None, as for a query that is not loaded yet."""
        return None

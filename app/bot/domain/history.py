"""The past of metrics: what is asked for, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


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


class Histories(Protocol):
    """The past of metrics, from memory."""

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        """What the query gives, up to one step old. None while it is not loaded: the dashboard is woken when it is.

        Raises UnknownSourceError, or a HomelabError that says why the history cannot be had.
        """
        ...


class NoHistories:
    """Stands where there is no history: every query finds nothing."""

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        """None, as for a query that is not loaded yet."""
        return None

"""What a poll of a data source returned."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from app.bot.domain.formatting.units import format_value

MAX_ITEMS = 1_000
"""Rows kept of one item list: a table of a chat message never shows more, and memory stays bounded."""


class Status(StrEnum):
    """How a source, or one of its items, is doing; ordered from best to worst by `severity`."""

    UP = "up"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    DOWN = "down"

    @property
    def severity(self) -> int:
        """0 for up, 3 for down."""
        return list(Status).index(self)


class MetricKind(StrEnum):
    """What a number tells: a gauge goes up and down; a counter only grows, and starts again after a reset."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """A named number. `value` None means that it is missing, which is not 0. `unit` is a name from domain.units."""

    name: str
    value: float | None
    unit: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: MetricKind = MetricKind.GAUGE

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "value", None)

    def __str__(self) -> str:
        """Return the value with its unit, as templates print it."""
        return format_value(self.value, self.unit)

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether this is the metric `name` and carries all of `labels`."""
        return self.name == name and all(self.labels.get(key) == value for key, value in labels.items())


@dataclass(frozen=True, slots=True)
class Reading:
    """One poll: metrics, tables of items by name, a status and what it means. `message` explains any status but up."""

    taken_at: datetime
    status: Status = Status.UP
    message: str = ""
    metrics: tuple[Metric, ...] = ()
    items: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def metric(self, name: str, labels: Mapping[str, str] | None = None) -> Metric | None:
        """Return the first metric with this name and all these labels, or None."""
        for metric in self.metrics:
            if metric.name == name and (not labels or metric.matches(name, labels)):
                return metric
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the reading as JSON-ready data; `from_json` is its inverse."""
        return {
            "taken_at": self.taken_at.isoformat(),
            "status": self.status.value,
            "message": self.message,
            "metrics": [
                {
                    "name": metric.name,
                    "value": metric.value,
                    "unit": metric.unit,
                    "labels": dict(metric.labels),
                    "kind": metric.kind.value,
                }
                for metric in self.metrics
            ],
            "items": {name: [dict(row) for row in rows[:MAX_ITEMS]] for name, rows in self.items.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reading:
        """Make a reading from what `to_json` gave."""
        return cls(
            taken_at=datetime.fromisoformat(data["taken_at"]),
            status=Status(data["status"]),
            message=data["message"],
            metrics=tuple(
                Metric(**{**metric, "kind": MetricKind(metric.get("kind", MetricKind.GAUGE))})
                for metric in data["metrics"]
            ),
            items=data["items"],
        )


class Readings(Protocol):
    """The newest readings by source name, with a short memory of each metric."""

    def latest(self, source: str) -> Reading:
        """Return the newest reading; status unknown while none was taken. Raises UnknownSourceError."""
        ...

    def recent(self, source: str, metric: str, labels: Mapping[str, str]) -> Sequence[float | None]:
        """Return the metric's last values, oldest first; None where a poll failed. Raises UnknownSourceError."""
        ...

    def title(self, source: str) -> str:
        """Return the name to show for a source. Raises UnknownSourceError."""
        ...

    def offering(self, dashboard: str) -> Sequence[str]:
        """Return the names of sources of which something adds itself to a dashboard of this name."""
        ...

"""What the bot counts of itself: read by the data source type `bot`, the heartbeat and the /metrics page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

Gauge = Callable[[], float | None]
"""Gives a current value, or None while there is none. Must not block."""


@dataclass(slots=True)
class Counters:
    """Totals since the process started; each is raised where the thing happens."""

    posts: int = 0
    """Messages posted."""
    edits: int = 0
    """Messages edited."""
    skipped: int = 0
    """Builds that showed what the message shows already, so nothing was sent."""
    rate_limited: int = 0
    """Answers of 429."""
    polls: int = 0
    """Polls of data sources."""
    failures: int = 0
    """Polls that gave no reading."""
    clicks: int = 0
    """Buttons and selects that users used."""
    commands: int = 0
    """Slash commands that users ran."""
    samples_written: int = 0
    """Samples written to history."""
    samples_dropped: int = 0
    """Samples that waited too long for a database that was away."""


@dataclass(slots=True)
class Statistics(Counters):
    """One per process, given to all who count. Current values (latency, guilds) are asked for, not stored."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _gauges: dict[str, tuple[Gauge, str]] = field(default_factory=dict, repr=False)

    def watch(self, name: str, gauge: Gauge, unit: str = "count") -> None:
        """Have a current value read by `gauge` whenever someone asks; a second one of the same name replaces it.

        The data source type `bot` shows it as the metric `name`, in `unit` (a name from domain.units).
        """
        self._gauges[name] = (gauge, unit)

    def counters(self) -> dict[str, int]:
        """Return the totals by name."""
        return {counter.name: getattr(self, counter.name) for counter in fields(Counters)}

    def gauges(self) -> Mapping[str, tuple[float | None, str]]:
        """Return the current values with their units, by name."""
        return {name: (gauge(), unit) for name, (gauge, unit) in sorted(self._gauges.items())}

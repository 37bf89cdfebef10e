"""The newest readings in memory, with a short history of each metric."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.bot.domain.errors import UnknownSourceError
from app.bot.domain.readings.discovery import DISCOVERED, dashboard_key, offered_dashboards
from app.bot.domain.readings.reading import Reading, Readings, Status
from app.bot.domain.readings.source import DataSource

HISTORY_LENGTH = 120
"""Readings remembered per source: an hour at the default interval, enough for a sparkline's width."""


class ReadingStore(Readings):
    """Readings by source name."""

    def __init__(self) -> None:
        self._sources: dict[str, DataSource] = {}
        self._latest: dict[str, Reading] = {}
        self._history: dict[str, deque[Reading]] = {}
        self._waiting: dict[str, Reading] = {}
        self._offers: dict[str, frozenset[str]] = {}

    def define(self, sources: Iterable[DataSource], now: datetime) -> None:
        """Say which sources there are; forget the readings of those that are gone or defined otherwise now."""
        defined = {source.name: source for source in sources}
        for name, known in list(self._sources.items()):
            now_defined = defined.get(name)
            if now_defined is None or (now_defined.type, now_defined.config) != (known.type, known.config):
                self._latest.pop(name, None)
                self._history.pop(name, None)
                self._offers.pop(name, None)
        self._sources = defined
        self._waiting = {
            name: Reading(
                now,
                Status.UNKNOWN,
                "Waiting for the first reading" if source.enabled else "This data source is switched off",
            )
            for name, source in defined.items()
        }

    def put(self, source: str, reading: Reading) -> None:
        """Keep a reading as the newest of its source; a source that is not defined is ignored."""
        if source not in self._sources:
            return
        self._latest[source] = reading
        if reading.items.get(DISCOVERED):
            self._offers[source] = offered_dashboards(reading)
        elif reading.status is not Status.DOWN:  # else what was there is shown as gone, not as if it had never been
            self._offers.pop(source, None)
        self._history.setdefault(source, deque(maxlen=HISTORY_LENGTH)).append(replace(reading, items={}))

    def latest(self, source: str) -> Reading:
        """Return the newest reading of a source. Raises UnknownSourceError."""
        reading = self._latest.get(source)  # only sources that are defined have one
        if reading is not None:
            return reading
        self._check(source)
        return self._waiting[source]

    def recent(self, source: str, metric: str, labels: Mapping[str, str]) -> Sequence[float | None]:
        """Return a metric's last values, oldest first. Raises UnknownSourceError."""
        self._check(source)
        found = (reading.metric(metric, labels) for reading in self._history.get(source, ()))
        return [metric.value if metric else None for metric in found]

    def offering(self, dashboard: str) -> Sequence[str]:
        """Return the sources of which something adds itself to a dashboard, also those that are down since."""
        key = dashboard_key(dashboard) if self._offers else ""
        return sorted(source for source, offered in self._offers.items() if key in offered)

    def title(self, source: str) -> str:
        """Return the name that people read. Raises UnknownSourceError."""
        self._check(source)
        return self._sources[source].label

    def _check(self, source: str) -> None:
        if source not in self._sources:
            known = ", ".join(sorted(self._sources)[:20]) or "none"
            raise UnknownSourceError(f"There is no data source “{source}”. Known: {known}")

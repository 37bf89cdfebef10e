"""The past that dashboards show, in memory: fetched when it is asked for, and fetched again when it grows old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import reason_of
from app.bot.domain.readings.history import Histories, History, HistoryQuery
from app.shared.kit.wakeable_sleep import WakeableSleep

log = structlog.get_logger(__name__)

_SHORTEST_SECONDS, _LONGEST_SECONDS = 10.0, 300.0
"""A query is asked again once per step, within these bounds."""
_FORGET_SECONDS = 900.0
"""A query that no dashboard asked for this long is forgotten."""
_ABSENT_SECONDS = 60.0
"""When no one has answered queries for so long, no one will."""
_AT_ONCE = 4
_IDLE_SECONDS = 5.0
MAX_QUERIES = 2_000
"""Different queries remembered at once."""


class HistoryReader(Protocol):
    """Answers queries."""

    async def read(self, query: HistoryQuery, until: datetime) -> History:
        """Return what a query gives up to a moment."""
        ...


class HistoryFailedError(HomelabError):
    """A query has no answer; the text says why."""


@dataclass(slots=True, eq=False)
class _Entry:
    query: HistoryQuery
    asked_at: float
    history: History | None = None
    error: str | None = None
    read_at: float = float("-inf")
    reading: bool = False
    dashboards: set[int] = field(default_factory=set)
    """Those that wait for the first answer."""

    def is_due(self, now: float) -> bool:
        lifetime = min(max(self.query.step_seconds, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        return not self.reading and self.read_at + lifetime <= now


class HistoryStore(Histories):
    """History in memory. `on_loaded` is called with the dashboards that waited, when their history is there."""

    def __init__(
        self, on_loaded: Callable[[Iterable[int]], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_loaded = on_loaded or (lambda dashboards: None)
        self._clock = clock
        self._entries: dict[HistoryQuery, _Entry] = {}
        self._sleep = WakeableSleep()
        self._served_at = clock()

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        """Return what is known, None while nothing is. Raises HistoryFailedError when the first answer was an error."""
        now = self._clock()
        entry = self._entries.get(query)
        if entry is None:
            if len(self._entries) >= MAX_QUERIES:
                raise HistoryFailedError(f"More than {MAX_QUERIES:,} different charts are shown. Show fewer.")
            entry = self._entries[query] = _Entry(query, now)
        entry.asked_at = now
        if entry.is_due(now):
            self._sleep.wake()
        if entry.history is None:
            if entry.error is not None:
                raise HistoryFailedError(f"No history: {entry.error}")
            if self._served_at + _ABSENT_SECONDS < now:
                raise HistoryFailedError("No history: its service is off. Switch it on under Services.")
            entry.dashboards.add(dashboard_id)
        return entry.history

    async def run(self, reader: HistoryReader) -> None:
        """Fetch what is asked for until cancelled."""
        while True:
            await self.load(reader)
            await self._sleep.sleep(_IDLE_SECONDS)

    async def load(self, reader: HistoryReader) -> None:
        """Fetch once what is asked for and due."""
        now = self._served_at = self._clock()
        for query, entry in list(self._entries.items()):
            if entry.asked_at + _FORGET_SECONDS < now and not entry.reading:
                del self._entries[query]
        slots = asyncio.Semaphore(_AT_ONCE)
        wanted = [entry for entry in self._entries.values() if entry.is_due(now) and entry.asked_at > entry.read_at]
        await asyncio.gather(*(self._read(entry, reader, slots) for entry in wanted))

    async def _read(self, entry: _Entry, reader: HistoryReader, slots: asyncio.Semaphore) -> None:
        entry.reading = True
        try:
            async with slots:
                entry.history = await reader.read(entry.query, datetime.now(UTC))
            entry.error = None
        except Exception as error:  # noqa: BLE001  # the guarded edge of one query: what is known of the others stays
            entry.error = reason_of(error)
        finally:
            entry.reading = False
            entry.read_at = self._clock()
        waiting, entry.dashboards = entry.dashboards, set()
        if waiting:
            self._on_loaded(waiting)

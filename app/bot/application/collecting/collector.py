"""The collector: each data source is polled once per interval, whatever the number of components that read it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.application.collecting.poll_slots import QUICK_SECONDS, Lateness, PollSlots
from app.bot.application.collecting.polling import GuardedReader, Outcome, Reader, pause_after
from app.bot.application.collecting.source_states import StateWriter
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache, Table
from app.bot.application.runtime.service import Service
from app.bot.application.runtime.statistics import Gauge, Statistics
from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import describe_fault
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.readings.reading import Reading, Status
from app.bot.domain.readings.source import DataSource, SourceState
from app.bot.domain.repositories import DataSourceRepository
from app.shared.kit.wakeable_sleep import WakeableSleep

__all__ = ["Collector", "CollectorConfig", "Reader"]

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 3_600.0
_SWITCHED_OFF = "This data source is switched off"


OpenReader = Callable[[DataSource, Callable[[], None]], Reader]
"""Opens what reads a source. The second argument asks for a poll of it as soon as can be."""


class CollectorConfig(BaseModel, title="Collector"):
    """Polls the data sources.

    Every source is polled at its own interval, by one poll at a time, and no slow one holds up another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    jitter: float = Field(
        0.1, ge=0, le=0.5, description="By what part of its interval a poll may come early or late, so that they spread"
    )
    max_concurrency: int = Field(
        64,
        ge=1,
        le=1_000,
        description="How many sources are asked at the same time; one that takes over a second makes room for others",
    )
    min_interval_seconds: float = Field(1.0, ge=0.01, le=3_600, description="No source is polled more often than this")
    state_write_seconds: float = Field(
        2.0, ge=0.01, le=600, description="Seconds between two writes of what the polls gave to the database"
    )


@dataclass(slots=True, eq=False)
class _Source:
    """A source while it is polled. `reader` is None where its config is broken: it waits for a better definition."""

    definition: DataSource
    integration: Integration | None = None
    reader: GuardedReader | None = None
    due: float = 0.0
    failures: int = 0
    failing: bool = False
    again: bool = False
    is_slow: bool = False
    task: asyncio.Task[None] | None = None


class Collector(Service[CollectorConfig]):
    """Schedules the polls and spreads what they gave."""

    name: ClassVar[str] = "collector"
    config_model = CollectorConfig

    def __init__(
        self,
        definitions: DefinitionCache,
        readings: ReadingStore,
        open_reader: OpenReader,
        states: DataSourceRepository,
        config: CollectorConfig | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        statistics: Statistics | None = None,
    ) -> None:
        self._definitions = definitions
        self._readings = readings
        self._open_reader = open_reader
        self._clock = clock
        self._statistics = statistics or Statistics()
        self._states = StateWriter(states)
        self.configure(config or CollectorConfig())
        self._lateness = Lateness()
        for share in (50, 99):
            self._statistics.watch(f"lateness.p{share}", _quantile(self._lateness, share), "seconds")
        self._sources: dict[str, _Source] = {}
        self._heap: list[tuple[float, int, _Source]] = []
        self._order = itertools.count()
        self._sleep = WakeableSleep()
        self._retiring: set[asyncio.Task[None]] = set()
        self._callbacks: list[Callable[[str], None]] = []
        self._wakes_at = 0.0
        """Until when the loop sleeps; while it does not, it looks at the heap before it sleeps again."""
        self._running = False
        self._stale = True
        definitions.subscribe(Table.SOURCES, self._definitions_changed)
        definitions.subscribe(Table.SOURCE_TYPES, self._types_changed)

    def configure(self, config: CollectorConfig) -> None:
        """Take another config, which counts from the next `run` on."""
        self._config = config
        self._slots = PollSlots(config.max_concurrency)
        self._states.write_every(config.state_write_seconds)

    def on_reading(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called with a source's name after each of its polls. It must not block."""
        self._callbacks.append(callback)

    async def run(self) -> None:
        """Poll until cancelled."""
        self._definitions_changed(None)
        writing = asyncio.create_task(self._states.run())
        self._running = True
        try:
            while True:
                self._reconcile()
                seconds = self._start_due()
                self._wakes_at = self._now() + seconds
                await self._sleep.sleep(seconds)
                self._wakes_at = 0.0
        finally:
            self._running = False
            await self._stop(writing)

    async def poll_now(self, names: Iterable[str], wait_seconds: float) -> None:
        """Poll these sources now and wait for them, at most `wait_seconds`; a poll that runs already is joined.

        Names of sources that are unknown, switched off or broken are passed over.
        """
        if not self._running:
            return
        self._reconcile()
        named = [self._sources[name] for name in dict.fromkeys(names) if name in self._sources]
        polls = {task for task in (self._start(source) for source in named) if task is not None}
        if polls:
            await asyncio.wait(polls, timeout=wait_seconds)

    def retry_failing(self) -> None:
        """Poll every failing source now instead of after its pause, for what it lacked (a secret) may be there."""
        for source in self._sources.values():
            if source.failures:
                self._schedule(source, self._now())

    def poll_soon(self, name: str) -> None:
        """Poll a source as soon as can be, and once more where it is being polled: something there has changed."""
        source = self._sources.get(name)
        if source is not None and source.reader is not None:
            source.again = source.task is not None
            self._schedule(source, self._now())

    def _types_changed(self, _changed: int | None) -> None:
        self._stale = True
        self._sleep.wake()

    def _definitions_changed(self, _changed: int | None) -> None:
        self._readings.define(self._definitions.sources.values(), self._clock())
        self._stale = True
        self._sleep.wake()

    def _reconcile(self) -> None:
        """Make what is polled follow the definitions, after they changed."""
        if not self._stale:
            return
        self._stale = False
        wanted = self._definitions.sources
        for name, source in list(self._sources.items()):
            definition = wanted.get(name)
            if definition is None or not definition.enabled or not self._is_read_the_same(source, definition):
                self._remove(name, source, definition)
        for name, definition in wanted.items():
            if not definition.enabled:
                continue
            known = self._sources.get(name)
            if known is None:
                self._add(name, definition)
            elif known.definition != definition:
                known.definition = definition
                self._schedule(known, min(known.due, self._now() + self._interval(known)))

    def _add(self, name: str, definition: DataSource) -> None:
        source = self._sources[name] = _Source(definition, self._definitions.source_types.get(definition.type))
        try:
            source.reader = GuardedReader(self._open_reader(definition, lambda: self.poll_soon(name)), self._clock)
        except HomelabError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001  # the guarded edge: no definition can stop the others
            reason = describe_fault(error)
        else:
            self._schedule(source, self._now())
            return
        log.warning("data source cannot be read", source=name, reason=reason)
        self._publish(source, Outcome(Reading(self._clock(), Status.DOWN, reason), reason, 0.0))

    def _remove(self, name: str, source: _Source, definition: DataSource | None) -> None:
        del self._sources[name]
        retirement = asyncio.create_task(_retire(source))
        self._retiring.add(retirement)
        retirement.add_done_callback(self._retiring.discard)
        if definition is None:
            self._states.forget(source.definition.id)
        elif not definition.enabled:
            off = Reading(self._clock(), Status.UNKNOWN, _SWITCHED_OFF)
            self._publish(_Source(definition), Outcome(off, None, 0.0))

    def _start_due(self) -> float:
        """Start every poll that is due; seconds until the next one."""
        while self._heap:
            due, _, source = self._heap[0]
            if not self._is_current(source) or source.due != due or source.task is not None:
                heapq.heappop(self._heap)
            elif due > self._now():
                return min(due - self._now(), _IDLE_SECONDS)
            else:
                heapq.heappop(self._heap)
                self._start(source)
        return _IDLE_SECONDS

    def _start(self, source: _Source) -> asyncio.Task[None] | None:
        """Return the source's one poll: the running one, or a new one; None where there is nothing to poll."""
        if source.task is None and source.reader is not None:
            source.task = asyncio.create_task(self._poll(source, source.reader))
        return source.task

    async def _poll(self, source: _Source, reader: GuardedReader) -> None:
        started = self._now()
        try:
            async with self._slots.slot(is_slow=source.is_slow):
                self._lateness.record(self._now() - min(source.due, started))
                outcome = await reader.poll(source.definition.timeout_seconds)
            source.is_slow = outcome.duration_seconds > QUICK_SECONDS
            if self._is_current(source):
                self._judge(source, outcome)
                self._publish(source, outcome)
        finally:
            source.task = None
            if self._is_current(source):
                pause = 0.0 if source.again else pause_after(self._interval(source), source.failures)
                source.again = False
                self._schedule(source, max(started + pause * self._jitter(), self._now()))

    def _judge(self, source: _Source, outcome: Outcome) -> None:
        """Count, and say in one line that a source fails, in another that it is back."""
        self._statistics.polls += 1
        self._statistics.failures += outcome.error is not None
        source.failures = source.failures + 1 if outcome.error is not None else 0
        failing = outcome.reading.status is Status.DOWN
        if failing and not source.failing:
            log.warning("data source is down", source=source.definition.name, reason=outcome.reading.message)
        elif source.failing and not failing:
            log.info("data source is back", source=source.definition.name)
        source.failing = failing

    def _publish(self, source: _Source, outcome: Outcome) -> None:
        definition, reading = source.definition, outcome.reading
        self._readings.put(definition.name, reading)
        self._states.put(
            definition.id,
            SourceState(
                definition.id,
                reading.status.value,
                reading.message,
                reading,
                outcome.error,
                self._clock(),
                outcome.duration_seconds,
            ),
        )
        for callback in self._callbacks:
            try:
                callback(definition.name)
            except Exception as error:  # noqa: BLE001  # who listens must not stop the polls
                log.warning("a listener of readings failed", source=definition.name, reason=describe_fault(error))

    def _schedule(self, source: _Source, due: float) -> None:
        source.due = due
        heapq.heappush(self._heap, (due, next(self._order), source))
        if due < self._wakes_at:  # what is due after others changes nothing
            self._sleep.wake()

    def _is_current(self, source: _Source) -> bool:
        """Whether this is what is polled under its name, and the definitions still say the same of it."""
        definition = self._definitions.sources.get(source.definition.name)
        return (
            self._sources.get(source.definition.name) is source
            and definition is not None
            and definition.enabled
            and self._is_read_the_same(source, definition)
        )

    def _is_read_the_same(self, source: _Source, now: DataSource) -> bool:
        """Whether the reader that was opened for a source serves its definition of now as well."""
        before = source.definition
        same = (before.id, before.type, before.config) == (now.id, now.type, now.config)
        return same and source.integration == self._definitions.source_types.get(now.type)

    def _interval(self, source: _Source) -> float:
        return max(self._config.min_interval_seconds, source.definition.interval_seconds)

    def _jitter(self) -> float:
        return 1.0 + random.uniform(-self._config.jitter, self._config.jitter)  # noqa: S311  # spreads load, guards nothing

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _stop(self, writing: asyncio.Task[None]) -> None:
        """End the polls, close every reader, and write what is left."""
        writing.cancel()
        await asyncio.gather(*(_retire(source) for source in self._sources.values()), *self._retiring)
        self._sources.clear()
        self._heap.clear()
        await self._states.write_last()


async def _retire(source: _Source) -> None:
    """End a source's poll and close its reader."""
    if source.task is not None:
        source.task.cancel()
        await asyncio.wait({source.task})
    if source.reader is not None:
        await source.reader.close()


def _quantile(lateness: Lateness, percent: int) -> Gauge:
    return lambda: lateness.quantile(percent / 100)

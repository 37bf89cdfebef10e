"""The history service: every reading is written down, rolled up, and dropped when it is old."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.application.rendering.history_store import HistoryStore
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.application.runtime.service import Service
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.errors import HomelabError, MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.faults import reason_of
from app.bot.domain.readings.history import HistoryRepository, Retention, Sample, Series
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage

log = structlog.get_logger(__name__)

UP = "up"
"""The metric that every source has in history: 1 while it is up or degraded, 0 while it is down."""
_KEPT_SAMPLES = 500_000
"""Samples that wait for a database that is away: about 60 MiB, and hours for an ordinary lab."""
_LARGEST = 1e150
"""A sum over years of such values is still a number; larger ones are faults of a source."""
_BATCH = 10_000
"""Samples written at once: encoding them keeps the event loop for about 10 ms."""
_ROLL_UPS_AT_ONCE = 1_000
"""Of a few hours each: months that were written at once are rolled up in one go, and a fault cannot loop for ever."""
_UPKEEP_SECONDS = 600.0
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_LAST_WRITE_SECONDS = 5.0
_CLOCK_DIFFERENCE = timedelta(hours=1)
"""Readings are dated by this machine; from this difference to the present on, a date is wrong."""
_WORK = ("writing", "rolling up", "dropping old partitions", "dates")
_SETTINGS = {
    "raw_days": "history.retention.raw_days",
    "five_minutes_days": "history.retention.five_minutes_days",
    "hours_days": "history.retention.hours_days",
}


class HistoryConfig(BaseModel, title="History"):
    """Keeps the past of every metric, for charts and uptime.

    How long is told by the settings history.retention.raw_days, .five_minutes_days and .hours_days.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    write_seconds: float = Field(5.0, ge=0.05, le=300, description="Seconds between two writes")
    roll_up_seconds: float = Field(60.0, ge=0.05, le=3_600, description="Seconds between two rollups")


class HistoryWriter(Service[HistoryConfig]):
    """Writes, rolls up, drops, and loads what dashboards ask for."""

    name: ClassVar[str] = "history"
    config_model = HistoryConfig

    def __init__(
        self,
        definitions: DefinitionCache,
        readings: ReadingStore,
        repository: HistoryRepository,
        store: HistoryStore,
        config: HistoryConfig | None = None,
        *,
        statistics: Statistics | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._definitions = definitions
        self._readings = readings
        self._repository = repository
        self._store = store
        self._config = config or HistoryConfig()
        self._statistics = statistics or Statistics()
        self._clock = clock
        self._waiting: deque[Sample] = deque()
        self._taken_away = 0
        """How many samples ever left the queue: written, or dropped for want of room."""
        self._outages = {what: Outage(log, "history has a problem", "history goes on", what=what) for what in _WORK}
        self._room_until: datetime | None = None

    def configure(self, config: HistoryConfig) -> None:
        """Take another config, which counts from the next `run` on."""
        self._config = config

    async def run(self) -> None:
        """Keep history until cancelled, and write what waits on the way out."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._repeat("writing", self._config.write_seconds, self._write))
                group.create_task(self._repeat("rolling up", self._config.roll_up_seconds, self._roll_up))
                group.create_task(self._repeat("dropping old partitions", _UPKEEP_SECONDS, self._drop))
                group.create_task(self._store.run(self._repository))
        finally:
            with contextlib.suppress(TimeoutError, HomelabError):
                await asyncio.wait_for(self._write(), _LAST_WRITE_SECONDS)

    def source_read(self, name: str) -> None:
        """Take down the newest reading of a source."""
        source = self._definitions.sources.get(name)
        if source is None:
            return
        reading = self._readings.latest(name)
        if reading.status is Status.UNKNOWN:
            return
        if abs(self._clock() - reading.taken_at) > _CLOCK_DIFFERENCE:
            self._outages["dates"].fail(f"{name}: the reading is dated {reading.taken_at:%Y-%m-%d %H:%M}")
            return
        self._waiting.extend(samples_of(source.id, reading))
        surplus = len(self._waiting) - _KEPT_SAMPLES
        if surplus > 0:
            self._take_away(surplus)
            self._statistics.samples_dropped += surplus

    def _take_away(self, count: int) -> None:
        for _ in range(count):
            self._waiting.popleft()
        self._taken_away += count

    async def _write(self) -> None:
        while self._waiting:
            batch = list(islice(self._waiting, _BATCH))
            end = self._taken_away + len(batch)
            times = [sample.at for sample in batch]
            await self._make_room(min(times), max(times))
            try:
                await self._repository.write(batch)
            except (StorageUnavailableError, MissingTableError, MissingColumnError):
                raise
            except HomelabError as error:  # the database will never take these, and others wait behind them
                log.warning("samples were refused and are left out", samples=len(batch), reason=str(error))
                self._statistics.samples_dropped += len(batch)
            else:
                self._statistics.samples_written += len(batch)
            self._take_away(max(0, end - self._taken_away))  # less what was dropped for want of room meanwhile

    async def _make_room(self, first: datetime, last: datetime) -> None:
        """Have partitions from before the first sample to after tomorrow; asked of the database once an hour."""
        if self._room_until is None or last >= self._room_until or first < self._room_until - timedelta(hours=3):
            await self._repository.make_partitions(min(first, last - timedelta(hours=1)), last)
            self._room_until = last + timedelta(hours=1)

    async def _roll_up(self) -> None:
        for _ in range(_ROLL_UPS_AT_ONCE):
            if not await self._repository.roll_up(self._clock()):
                return

    async def _drop(self) -> None:
        dropped = await self._repository.drop_partitions(retention_of(self._definitions.settings))
        if dropped:
            log.info("old history was dropped", partitions=dropped)

    async def _repeat(self, what: str, seconds: float, work: Callable[[], object]) -> None:
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
        outage = self._outages[what]
        while True:
            await asyncio.sleep(backoff.next() if outage.active else seconds)
            try:
                await work()  # type: ignore[misc]  # each of these is a coroutine function
            except (MissingTableError, MissingColumnError) as error:
                outage.fail(f"{error}. Run: homelab db upgrade")
            except StorageUnavailableError as error:
                outage.fail(str(error))
            except Exception as error:  # noqa: BLE001  # the guarded edge: one kind of work must not end the others
                outage.fail(reason_of(error))
            else:
                outage.recover()
                backoff.reset()


def samples_of(source_id: int, reading: Reading) -> Iterator[Sample]:
    """Yield a reading's metrics as samples, and whether the source is up."""
    at = reading.taken_at
    yield Sample(Series(source_id, UP), at, 0.0 if reading.status is Status.DOWN else 1.0)
    for metric in reading.metrics:
        if metric.value is not None and metric.name != UP and abs(metric.value) < _LARGEST:
            yield Sample(_series_of(source_id, metric), at, metric.value)


def _series_of(source_id: int, metric: Metric) -> Series:
    labels = tuple(sorted(metric.labels.items()))
    return Series(source_id, metric.name, labels, metric.unit, metric.kind)


def retention_of(settings: Mapping[str, object]) -> Retention:
    """How long history is kept by the settings; a setting that is no number of days from 1 to 3,650 does not count."""
    found = {}
    for field, key in _SETTINGS.items():
        value = settings.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 1 <= value <= 3_650:
            found[field] = float(value)
    return Retention(**found)

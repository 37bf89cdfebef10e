"""Writing what polls gave to the database, in batches, without the polls ever waiting for it."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from app.bot.application.runtime.wakeable_sleep import WakeableSleep
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.readings.source import SourceState
from app.bot.domain.repositories import DataSourceRepository

log = structlog.get_logger(__name__)

_LONGEST_PAUSE_SECONDS = 30.0
_IDLE_SECONDS = 3_600.0
_LAST_WRITE_SECONDS = 2.0
_LATER = (StorageUnavailableError, MissingTableError, MissingColumnError)
"""Failures of the storage, not of a state: the states are kept and written later."""


class StateWriter:
    """Keeps the newest state of each source until it is written. One log line when writing fails, one when it works."""

    def __init__(self, repository: DataSourceRepository, pause_seconds: float) -> None:
        self._repository = repository
        self._pause_seconds = pause_seconds
        self._waiting: dict[int, SourceState] = {}
        self._sleep = WakeableSleep()
        self._failing = False
        self._refused: set[int] = set()

    def put(self, state: SourceState) -> None:
        """Have a state written soon; an older one of the same source that still waits is replaced."""
        self._waiting[state.data_source_id] = state
        self._sleep.wake()

    def forget(self, source_id: int) -> None:
        """Drop the state of a source that is gone."""
        self._waiting.pop(source_id, None)

    async def run(self) -> None:
        """Write until cancelled: at once, then at most every `pause_seconds`."""
        pause = self._pause_seconds
        while True:
            if not self._waiting:
                await self._sleep.sleep(_IDLE_SECONDS)
                continue
            await self.write()
            pause = min(pause * 2, max(_LONGEST_PAUSE_SECONDS, pause)) if self._failing else self._pause_seconds
            await asyncio.sleep(pause)

    async def write_last(self) -> None:
        """Write what waits, on the way out: briefly, for the database may be gone."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.write(), _LAST_WRITE_SECONDS)

    async def write(self) -> None:
        """Write all that waits. What the storage cannot take now goes on waiting."""
        if not self._waiting:
            return
        batch = list(self._waiting.values())
        try:
            await self._repository.save_states(batch)
        except _LATER as error:
            self._failed(str(error))
        except Exception:  # noqa: BLE001  # a state that cannot be stored must not keep the others from it
            await self._write_one_by_one(batch)
        else:
            self._written(batch)

    async def _write_one_by_one(self, batch: list[SourceState]) -> None:
        for state in batch:
            try:
                await self._repository.save_states([state])
            except _LATER as error:
                self._failed(str(error))
                return
            except Exception as error:  # noqa: BLE001  # this very state is the one that cannot be stored
                self._refused_one(state, type(error).__name__)
            else:
                self._written([state])

    def _written(self, batch: list[SourceState]) -> None:
        for state in batch:
            self._refused.discard(state.data_source_id)
            if self._waiting.get(state.data_source_id) is state:
                del self._waiting[state.data_source_id]
        if self._failing:
            self._failing = False
            log.info("states of data sources are written again")

    def _refused_one(self, state: SourceState, reason: str) -> None:
        """Drop a state that the storage refuses for what it is; the next poll brings another."""
        self._waiting = {key: waiting for key, waiting in self._waiting.items() if waiting is not state}
        if state.data_source_id not in self._refused:
            self._refused.add(state.data_source_id)
            log.warning("the state of a data source cannot be stored", source_id=state.data_source_id, reason=reason)

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("states of data sources cannot be written; polling goes on, writing follows", reason=reason)

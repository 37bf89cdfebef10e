"""One poll of one data source: whatever the reader does, an outcome comes back in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from app.bot.application.runtime.storable import storable
from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import describe_fault
from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import Reading, Status

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 300.0
"""A failing source is tried again at least this often, or at its own interval where that is longer."""
LONGEST_TIMEOUT_SECONDS = 3_600.0
_GRACE_SECONDS = 1.0
"""What a cancelled reader gets to clean up."""
_CLOSE_SECONDS = 5.0
_REASON_CHARACTERS = 300
_MANY_ROWS = 100


class Reader(Protocol):
    """Reads one data source. One `read` at a time; no `read` after `close`."""

    async def read(self) -> Reading:
        """Take a reading. A HomelabError's text is shown to users; any other exception is a fault of the type."""
        ...

    async def close(self) -> None:
        """Let go of what the reader holds."""
        ...


class NoAnswerError(HomelabError):
    """A reader did not finish within its time."""


class ReaderBusyError(HomelabError):
    """A reader that was cancelled still runs, so it cannot be asked again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a poll gave. `error` is the reason when the reader failed; the reading is then of status down."""

    reading: Reading
    error: str | None
    duration_seconds: float


class GuardedReader:
    """A reader whose failures of any kind become readings, and which holds up no one beyond its timeout."""

    def __init__(self, reader: Reader, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._clock = clock
        self._task: asyncio.Task[Reading] | None = None

    async def poll(self, timeout_seconds: float) -> Outcome:
        """Read once. Raises nothing but CancelledError."""
        started = time.perf_counter()
        error: str | None = None
        try:
            reading = await _storable(await self._read(timeout_seconds))
        except HomelabError as failure:
            error = shorten(str(failure), _REASON_CHARACTERS)
        except Exception as failure:  # noqa: BLE001  # the guarded edge: no source can stop the others
            error = describe_fault(failure)
        if error is not None:
            reading = Reading(self._clock(), Status.DOWN, error)
        return Outcome(reading, error, time.perf_counter() - started)

    async def close(self) -> None:
        """Close the reader; what goes wrong there is logged, for no one can do anything about it."""
        closing = asyncio.create_task(self._reader.close())
        await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
        if not closing.done():
            closing.add_done_callback(_forget_result)
            closing.cancel()
            log.warning("a data source did not close in time")
        elif not closing.cancelled() and (failure := closing.exception()) is not None:
            log.warning("a data source did not close cleanly", reason=describe_fault(failure))

    async def _read(self, timeout_seconds: float) -> Reading:
        if self._task is not None and not self._task.done():
            raise ReaderBusyError("The previous reading still hangs and cannot be stopped")
        seconds = min(max(0.01, timeout_seconds), LONGEST_TIMEOUT_SECONDS)
        self._task = asyncio.create_task(self._reader.read())
        try:
            await asyncio.wait({self._task}, timeout=seconds)
            if self._task.cancelled():
                raise NoAnswerError("The reading was broken off")
            if self._task.done():
                return self._task.result()
            raise NoAnswerError(f"No answer within {seconds:g} s")
        finally:
            await self._abandon(self._task)

    async def _abandon(self, task: asyncio.Task[Reading]) -> None:
        """Cancel a reading that is not done. One that refuses to end is left behind, so that it delays no one."""
        if not task.done():
            task.add_done_callback(_forget_result)
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE_SECONDS)


async def _storable(reading: Reading) -> Reading:
    """Return the reading made fit to keep; a large one in a thread, for that takes longer than anybody should wait."""
    if isinstance(reading, Reading) and sum(map(len, reading.items.values())) > _MANY_ROWS:
        return await asyncio.to_thread(storable, reading)
    return storable(reading)


def pause_after(interval_seconds: float, failures: int) -> float:
    """Seconds from one poll to the next after so many failures in a row.

    The interval doubles from the second failure on, to LONGEST_PAUSE_SECONDS; a longer interval stays as it is.
    """
    grown = interval_seconds * 2.0 ** min(max(failures - 1, 0), 32)
    return max(interval_seconds, min(grown, LONGEST_PAUSE_SECONDS))


def _forget_result(task: asyncio.Task[Reading] | asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()

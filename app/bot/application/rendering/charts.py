"""Charts in memory: every picture is drawn once, and there is always the newest one that is ready."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog

from app.bot.application.runtime.background import start_detached
from app.bot.domain.charts.chart import ChartFailedError, ChartRequest, Charts, Picture
from app.bot.domain.faults import describe_fault

log = structlog.get_logger(__name__)

MAX_BYTES = 32 * 2**20
"""Of PNG files: some six hundred charts of usual size."""
MAX_SLOTS = 10_000
MAX_FAILURES = 500
RETRY_SECONDS = 120.0
"""Until a chart is tried again that failed for a reason that may pass: no time, or no process to draw it."""


class ChartRenderer(Protocol):
    """Draws beside the event loop."""

    async def render(self, specification: str) -> bytes:
        """Return the PNG of a Vega-Lite specification.

        Raises ValueError for one that can never be drawn (its text is for the user), and OSError (which TimeoutError
        is too) for a reason that may pass.
        """
        ...

    async def close(self) -> None:
        """Stop drawing."""
        ...


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    until: float
    """The clock's time from which on it is tried again."""


@dataclass(slots=True)
class _Wanted:
    """What a slot waits for."""

    request: ChartRequest
    dashboard_id: int


class ChartStore(Charts):
    """Charts in memory.

    A slot that is asked for something new keeps what it shows until that is drawn; of several new requests only the
    newest is drawn. Every slot gets its turn: a request that replaces a waiting one keeps its place in the line.
    """

    def __init__(
        self,
        renderer: ChartRenderer,
        on_drawn: Callable[[Iterable[int]], None] = lambda dashboard_ids: None,
        *,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._renderer = renderer
        self._on_drawn = on_drawn
        self._max_bytes = max_bytes
        self._clock = clock
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0
        self._failures: OrderedDict[str, _Failure] = OrderedDict()
        self._shown: OrderedDict[str, str | _Failure] = OrderedDict()
        """What came of the last request of each slot that was drawn: a picture's digest, or why there is none."""
        self._waiting: OrderedDict[str, _Wanted] = OrderedDict()
        self._drawing: str | None = None
        self._drawing_for: dict[str, int] = {}
        """The slots that asked for what is drawn now, each with its dashboard."""
        self._task: asyncio.Task[None] | None = None
        self.drawn = 0
        """Pictures drawn so far."""

    @property
    def size(self) -> int:
        """Bytes of the pictures that are remembered."""
        return self._bytes

    def find(self, request: ChartRequest, slot: str, dashboard_id: int) -> Picture | None:
        """Return the picture, the slot's previous one while it is drawn, or None. Raises ChartFailedError."""
        outcome = self._outcome(request.digest)
        if outcome is None:
            self._want(slot, _Wanted(request, dashboard_id))
            outcome = self._previous(slot)
        else:
            self._waiting.pop(slot, None)
            self._show(slot, outcome)
        if isinstance(outcome, _Failure):
            raise ChartFailedError(outcome.reason)
        return outcome

    def picture(self, digest: str) -> Picture | None:
        """Return a picture that is remembered, for those who were told its digest."""
        return self._pictures.get(digest)

    async def close(self) -> None:
        """Draw nothing more, and end whatever draws."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._renderer.close()

    def _outcome(self, digest: str) -> Picture | _Failure | None:
        picture = self._pictures.get(digest)
        if picture is not None:
            self._pictures.move_to_end(digest)
            return picture
        failure = self._failures.get(digest)
        return failure if failure is not None and self._clock() < failure.until else None

    def _previous(self, slot: str) -> Picture | _Failure | None:
        """Return what the slot shows until its newest request is drawn."""
        shown = self._shown.get(slot)
        return self._outcome(shown) if isinstance(shown, str) else shown

    def _want(self, slot: str, wanted: _Wanted) -> None:
        if wanted.request.digest == self._drawing:
            self._waiting.pop(slot, None)
            self._drawing_for[slot] = wanted.dashboard_id
            return
        self._waiting[slot] = wanted
        if self._task is None or self._task.done():
            self._task = start_detached(self._draw_all(), "charts")

    async def _draw_all(self) -> None:
        while self._waiting:
            request = next(iter(self._waiting.values())).request
            self._drawing = request.digest
            same = [slot for slot, wanted in self._waiting.items() if wanted.request.digest == request.digest]
            self._drawing_for = {slot: self._waiting.pop(slot).dashboard_id for slot in same}
            try:
                outcome = self._outcome(request.digest) or await self._draw(request)
            finally:
                self._drawing = None
            for slot in self._drawing_for:
                self._show(slot, outcome)
            self._on_drawn(frozenset(self._drawing_for.values()))

    async def _draw(self, request: ChartRequest) -> Picture | _Failure:
        try:
            png = await self._renderer.render(request.specification)
        except ValueError as error:
            return self._failed(request.digest, _Failure(str(error), float("inf")))
        except OSError as error:
            log.warning("a chart could not be drawn", reason=str(error) or describe_fault(error))
            reason = str(error) or "The chart could not be drawn."
            return self._failed(request.digest, _Failure(reason, self._clock() + RETRY_SECONDS))
        except Exception as error:  # noqa: BLE001  # the guarded edge: no chart can stop the others
            log.warning("a chart could not be drawn", reason=describe_fault(error))
            return self._failed(request.digest, _Failure(describe_fault(error), self._clock() + RETRY_SECONDS))
        self.drawn += 1
        picture = Picture(request.digest, png, request.description)
        self._pictures[picture.digest] = picture
        self._bytes += len(png)
        while self._bytes > self._max_bytes and len(self._pictures) > 1:
            self._bytes -= len(self._pictures.popitem(last=False)[1].png)
        return picture

    def _failed(self, digest: str, failure: _Failure) -> _Failure:
        self._failures[digest] = failure
        self._failures.move_to_end(digest)
        if len(self._failures) > MAX_FAILURES:
            self._failures.popitem(last=False)
        return failure

    def _show(self, slot: str, outcome: Picture | _Failure) -> None:
        self._shown[slot] = outcome.digest if isinstance(outcome, Picture) else outcome
        self._shown.move_to_end(slot)
        if len(self._shown) > MAX_SLOTS:
            self._shown.popitem(last=False)

"""Long-running tasks of the process: started together, kept running, stopped together."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import structlog

from app.bot.domain.faults import describe_fault

log = structlog.get_logger(__name__)

RESTART_SECONDS = 5.0
Result = TypeVar("Result")
Run = Callable[[], Coroutine[Any, Any, None]]


def detached(function: Callable[[], Result]) -> Result:
    """Return what `function` returns. The tasks that it starts have an empty context, as with `start_detached`."""
    return contextvars.Context().run(function)


def start_detached(coroutine: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
    """Return a task with an empty context: what was set for the one event that started it is none of its business."""
    return detached(lambda: asyncio.create_task(coroutine, name=name))


class Background:
    """Runs each of `runs` until `stop`; one that fails is logged and started again. Then calls `closers` in order."""

    def __init__(self, runs: Mapping[str, Run], closers: tuple[Callable[[], Awaitable[None]], ...] = ()) -> None:
        self._runs = runs
        self._closers = closers
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start what does not run yet."""
        if not self._tasks:
            self._tasks = [start_detached(_keep_running(name, run), name) for name, run in self._runs.items()]

    async def stop(self) -> None:
        """End all tasks and wait for them, then let go of what they used. A second call does nothing."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closers, self._closers = self._closers, ()
        for close in closers:
            await close()


async def _keep_running(name: str, run: Run) -> None:
    while True:
        try:
            await run()
            reason = "it ended by itself"
        except Exception as error:  # noqa: BLE001  # the guarded edge: one task must not take the others with it
            reason = describe_fault(error)
        log.error("a part of the bot stopped; starting it again", part=name, reason=reason)
        await asyncio.sleep(RESTART_SECONDS)

"""How long the event loop is kept from everything else, by computing time: a busy machine does not count."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LONGEST_SECONDS = 0.05
"""What one component may take of the loop: the gateway's heartbeats and everybody's clicks wait meanwhile."""


@dataclass
class LoopMonitor:
    """The longest turns of the event loop so far, in seconds of the thread's computing time."""

    turns: list[tuple[float, str]] = field(default_factory=list)

    @property
    def longest(self) -> float:
        """The longest turn."""
        return max(self.turns, default=(0.0, ""))[0]

    def __str__(self) -> str:
        worst = sorted(self.turns, reverse=True)[:3]
        return "; ".join(f"{seconds * 1000:.0f} ms in {what}" for seconds, what in worst)


@contextmanager
def monitored_loop() -> Iterator[LoopMonitor]:
    """Measure every callback and every step of a task that asyncio runs meanwhile.

    The garbage of a whole test run is not collected meanwhile: the programs themselves have far less of it.
    """
    monitor = LoopMonitor()
    run = asyncio.events.Handle._run

    def measured(handle: asyncio.events.Handle) -> None:
        started = time.thread_time()
        try:
            run(handle)
        finally:
            seconds = time.thread_time() - started
            if seconds > LONGEST_SECONDS / 5:
                monitor.turns.append((seconds, repr(handle)[:300]))

    asyncio.events.Handle._run = measured  # type: ignore[method-assign]  # asyncio's own slow-callback log measures waiting too
    gc.collect()
    gc.disable()
    try:
        yield monitor
    finally:
        gc.enable()
        asyncio.events.Handle._run = run  # type: ignore[method-assign]

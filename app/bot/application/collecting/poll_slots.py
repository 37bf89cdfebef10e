"""How many polls begin together, and how late they begin: bounded, and never held up by one that hangs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

QUICK_SECONDS = 1.0
"""A poll that takes longer gives its slot to the next: it waits for someone else, which costs this process nothing."""
_REMEMBERED = 4_096


class PollSlots:
    """Gives slots to polls. Slow ones need none, so that they keep neither quick ones waiting nor each other."""

    def __init__(self, size: int) -> None:
        self._slots = asyncio.Semaphore(size)

    @asynccontextmanager
    async def slot(self, *, is_slow: bool) -> AsyncIterator[None]:
        """Wait for a slot and hold it, for QUICK_SECONDS at most. `is_slow` says that the last poll took longer."""
        if is_slow:
            yield
            return
        await self._slots.acquire()
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._slots.release()

        timer = asyncio.get_running_loop().call_later(QUICK_SECONDS, release)
        try:
            yield
        finally:
            timer.cancel()
            release()


class Lateness:
    """How long after they were due the last polls began, in seconds."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def record(self, seconds: float) -> None:
        """Remember one."""
        self._seconds.append(max(seconds, 0.0))

    def quantile(self, share: float) -> float | None:
        """Return what this share of the polls did not exceed; None before the first."""
        ordered = sorted(self._seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None

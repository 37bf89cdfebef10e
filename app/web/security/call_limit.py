"""Limits how often someone may call: a bucket of calls for each, which fills up again with time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_MAX_REMEMBERED = 10_000


class CallLimit:
    """`burst` calls at once, then one every `seconds`. Kept in memory of this process.

    `clock` gives seconds that only go forward.
    """

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._free_at: OrderedDict[str, float] = OrderedDict()

    def wait_seconds(self, who: str) -> float:
        """How long this one has to wait before another call; 0 when one is allowed."""
        early = self._free_at.get(who, 0.0) - self._clock()
        return max(0.0, early - self._seconds * (self._burst - 1))

    def called(self, who: str) -> None:
        """Count a call."""
        self._free_at[who] = max(self._free_at.get(who, 0.0), self._clock()) + self._seconds
        self._free_at.move_to_end(who)
        while len(self._free_at) > _MAX_REMEMBERED:
            self._free_at.popitem(last=False)


class PushLimits:
    """How often one address may be called, and how often someone may try addresses that do not exist."""

    def __init__(self) -> None:
        self.calls = CallLimit(burst=20, seconds=1.0)
        self.guesses = CallLimit(burst=30, seconds=2.0)

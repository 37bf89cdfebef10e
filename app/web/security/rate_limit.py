"""Slows down guessing of passwords: after a few failures each further one costs a longer wait."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_FAILURES = 5
"""Failures before the first wait: a person who mistypes is not held up."""
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 900.0
_FORGET_SECONDS = 3_600.0
_MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    blocked_until: float = 0.0


class LoginLimiter:
    """Failures by user name and address, and by address alone with more patience. Kept in memory of this process.

    `clock` gives seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def wait_seconds(self, username: str, address: str) -> float:
        """How long this one has to wait before another try; 0 when a try is allowed."""
        now = self._clock()
        known = (self._failures.get(key) for key, _ in _keys(username, address))
        return max([0.0, *(failures.blocked_until - now for failures in known if failures is not None)])

    def tried(self, username: str, address: str) -> None:
        """Count a try as a failure, until `succeeded` takes it back."""
        now = self._clock()
        for key, patience in _keys(username, address):
            failures = self._failures.setdefault(key, _Failures())
            if now - failures.last > _FORGET_SECONDS:
                failures.count = 0
            failures.count += 1
            failures.last = now
            over = failures.count - FREE_FAILURES * patience
            if over >= 0:
                failures.blocked_until = now + min(_FIRST_WAIT_SECONDS * 2 ** min(over, 20), _LONGEST_WAIT_SECONDS)
            self._failures.move_to_end(key)
        while len(self._failures) > _MAX_REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        """Forget the failures of one who got in; those of the address stay, for it may be guessing other names."""
        self._failures.pop((username, address), None)
        own = self._failures.get(("", address))
        if own is not None:
            own.count, own.blocked_until = own.count - 1, 0.0


def _keys(username: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return ((username, address), 1), (("", address), 4)

"""Pauses between attempts."""

from __future__ import annotations


class Backoff:
    """Pauses in seconds that double from `first` to `last`, and begin again after `reset`."""

    def __init__(self, first: float, last: float) -> None:
        self._first = first
        self._last = last
        self._pause = first

    def next(self) -> float:
        """Return the pause before the next attempt; the one after it is twice as long."""
        pause = self._pause
        self._pause = min(pause * 2, max(self._first, self._last))
        return pause

    def reset(self) -> None:
        """Begin again with the first pause: an attempt worked."""
        self._pause = self._first

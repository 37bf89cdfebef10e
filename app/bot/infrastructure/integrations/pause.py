"""A server that asks to be left alone for a while is left alone."""

from __future__ import annotations

import time

from app.bot.infrastructure.integrations.transport import Received
from app.bot.infrastructure.sources.base import SourceFailedError

_ASKING = (429, 503)
_LONGEST_SECONDS = 3_600.0


class Pause:
    """Until when no request is sent, as the server said in Retry-After (RFC 9110, section 10.2.3)."""

    def __init__(self) -> None:
        self._until = 0.0

    def heed(self, received: Received) -> None:
        """Take note of what an answer asks for."""
        said = received.headers.get("Retry-After", "")
        if received.status in _ASKING and said.isdecimal():
            self._until = time.monotonic() + min(float(said), _LONGEST_SECONDS)

    def check(self) -> None:
        """Raise SourceFailedError while the server wants no requests."""
        left = self._until - time.monotonic()
        if left > 0:
            raise SourceFailedError(f"The server has asked to wait; the next request goes out in {left:.0f} s")

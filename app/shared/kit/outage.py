"""One log line when something stops working, and one when it works again."""

from __future__ import annotations

import logging
from typing import Any

import structlog


class Outage:
    """Knows whether something fails.

    `down` and `up` are the log's texts; without `up` the end is not logged. `level` is that of `down`.
    """

    def __init__(
        self, log: structlog.stdlib.BoundLogger, down: str, up: str = "", *, level: int = logging.WARNING, **names: Any
    ) -> None:
        self._log = log
        self._down = down
        self._up = up
        self._level = level
        self._names = names
        self.active = False

    def fail(self, reason: str) -> None:
        """Log the reason, unless the outage is known."""
        if not self.active:
            self.active = True
            self._log.log(self._level, self._down, reason=reason, **self._names)

    def recover(self) -> None:
        """Log that it works again, if it did not."""
        if self.active:
            self.active = False
            if self._up:
                self._log.info(self._up, **self._names)

"""Locks on files, which the operating system gives back however a process ends (also after kill -9)."""

from __future__ import annotations

import os
import time
from pathlib import Path

from app.shared.database.core.errors import EmbeddedServerError

try:
    import fcntl
except ImportError as error:  # Windows
    raise EmbeddedServerError(
        "The embedded PostgreSQL needs Linux or macOS. Set DATABASE_URL to a PostgreSQL server."
    ) from error

_POLL_SECONDS = 0.05


class FileLock:
    """A lock file, held shared or exclusively by this object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, *, shared: bool = False, timeout_seconds: float = 0.0) -> bool:
        """Take the lock, or change it from shared to exclusive; False when others still hold it at the end of the time.

        After False nothing is held. Raises OSError when the file cannot be opened.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    self.release()
                    return False
                time.sleep(_POLL_SECONDS)
            else:
                return True

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

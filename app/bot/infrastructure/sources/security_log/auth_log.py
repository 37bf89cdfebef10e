"""What sshd wrote to a log file since the last look, over rotations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.sources.security_log.ssh_logins import message_of

_FIRST_BYTES = 8 * 1024 * 1024
"""Read of a file that is seen for the first time, from its end."""
_MOST_BYTES = 32 * 1024 * 1024
"""Read at once at most; an attack that writes more between two looks is counted in part."""


class AuthLog:
    """Remembers which file it read how far. Its methods block."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._inode: int | None = None
        self._offset = 0

    def read(self, now: datetime) -> list[tuple[datetime, str]]:
        """Time and message of what is new. Raises SourceFailedError."""
        lines = list(self._lines())
        return [found for line in lines if (found := message_of(line, now)) is not None]

    def _lines(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if self._inode is None:
                    self._offset = max(0, status.st_size - _FIRST_BYTES)
                elif status.st_ino != self._inode:
                    yield from self._rest_of_rotated()
                    self._offset = 0
                elif status.st_size < self._offset:  # emptied, as copytruncate does
                    self._offset = 0
                self._inode = status.st_ino
                yield from self._read(file.fileno(), status.st_size)
        except OSError as error:
            raise SourceFailedError(
                f"{self._path} cannot be read: {error.strerror}. The bot's user has to be in the group adm"
            ) from None

    def _rest_of_rotated(self) -> Iterator[str]:
        """Yield what came to the old file after the last look, where it is found under its new name."""
        rotated = self._path.with_name(f"{self._path.name}.1")
        try:
            with rotated.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino == self._inode:
                    yield from self._read(file.fileno(), status.st_size)
        except OSError:
            return

    def _read(self, descriptor: int, size: int) -> Iterator[str]:
        """Whole lines from the offset on; a line that is still being written is left for the next look."""
        begin = max(self._offset, size - _MOST_BYTES)
        data = os.pread(descriptor, size - begin, begin)
        end = data.rfind(b"\n") + 1
        self._offset = begin + end
        yield from data[:end].decode(errors="replace").splitlines()

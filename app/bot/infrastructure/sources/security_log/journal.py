"""What sshd wrote to the journal of systemd since the last look."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from app.bot.infrastructure.network.programs import run_program
from app.bot.infrastructure.sources.base import SourceFailedError

_LINES = 20_000
"""Read at most at once, the newest: a JSON line is about a kilobyte."""
_LARGEST_OUTPUT = 64 * 1024 * 1024
_IDENTIFIERS = ("SYSLOG_IDENTIFIER=sshd", "SYSLOG_IDENTIFIER=sshd-session")
"""OpenSSH 9.8 and later write as sshd-session; journalctl takes either, for both are of one field."""
_FIELDS = "--output-fields=MESSAGE,__REALTIME_TIMESTAMP"


class Journal:
    """Remembers by its cursor how far it read."""

    def __init__(self, sudo: bool) -> None:
        self._sudo = sudo
        self._cursor = ""

    async def read(self, begin: datetime) -> list[tuple[datetime, str]]:
        """Time and message of what is new, at first from `begin`. Raises ProgramFailedError or SourceFailedError."""
        where = f"--after-cursor={self._cursor}" if self._cursor else f"--since=@{begin.timestamp():.0f}"
        output = await run_program(
            [
                "journalctl",
                "--output=json",
                _FIELDS,
                "--no-pager",
                f"--lines={_LINES}",
                where,
                *_IDENTIFIERS,
            ],
            sudo=self._sudo,
            largest=_LARGEST_OUTPUT,
        )
        if output.code:
            self._cursor = ""  # it may be of a journal that was removed
            raise SourceFailedError(f"journalctl failed: {output.reason}")
        if "insufficient permissions" in output.complaint or "not seeing messages" in output.complaint:
            raise SourceFailedError("The bot's user may not read the journal: add it to the group systemd-journal")
        return [found for line in output.text.splitlines() if (found := self._entry(line)) is not None]

    def _entry(self, line: str) -> tuple[datetime, str] | None:
        try:
            entry = json.loads(line)
            self._cursor = str(entry["__CURSOR"])
            at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        except (ValueError, TypeError, KeyError, OverflowError, OSError):
            return None
        return at, _text(entry.get("MESSAGE"))


def _text(message: Any) -> str:
    """Return a message; what is no UTF-8 is written as a list of bytes."""
    if isinstance(message, list):
        return bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(errors="replace")
    return str(message or "")

"""What a query of a database gave, whichever database it is."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS
from app.bot.infrastructure.sources.base import SourceFailedError

_TEXT_CHARACTERS = 1_000
_LARGEST_BYTES = 5 * 1024 * 1024
TOO_LARGE = f"The rows are larger than {_LARGEST_BYTES // 1024 // 1024} MiB: select fewer columns"


@dataclass(frozen=True, slots=True)
class Login:
    """A server, and how to log in to it. `seconds` is how long each query may take."""

    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None
    seconds: float


@dataclass(slots=True)
class Table:
    """The rows of one query, at most MAX_ITEMS; `more` says that there are further ones."""

    columns: Sequence[str] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    more: bool = False
    _bytes: int = 0

    def add(self, values: Sequence[Any]) -> bool:
        """Keep a row; False once no more are wanted. Raises SourceFailedError when the rows are too large."""
        if len(self.rows) == MAX_ITEMS:
            self.more = True
            return False
        row = {name: plain(value) for name, value in zip(self.columns, values, strict=False)}
        self._bytes += sum(len(value) if isinstance(value, str) else 8 for value in row.values())
        if self._bytes > _LARGEST_BYTES:
            raise SourceFailedError(TOO_LARGE)
        self.rows.append(row)
        return True


Answer = Table | SourceFailedError
"""What became of one query; others go on after one that failed."""


def plain(value: Any) -> Any:
    """Return a value as JSON has it: no decimals, moments, bytes or what else a database knows."""
    match value:
        case None | bool() | int():
            return value
        case float() | Decimal():
            return float(value) if isfinite(value) else None
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return f"{len(value):,} bytes"
    return shorten(str(value), _TEXT_CHARACTERS)

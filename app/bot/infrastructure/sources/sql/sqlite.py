"""Queries on a file of SQLite that can only read: it is opened so, and nothing but reading is authorized."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from app.bot.domain.formatting.markdown import one_line
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.sources.sql.tables import Answer, Table
from app.bot.infrastructure.threads import in_thread

_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
_PRAGMAS = ("freelist_count", "page_count", "page_size", "user_version")
_STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock: about a millisecond."""
_LARGEST_VALUE_BYTES = 1_000_000


async def ask(path: str, seconds: float, statements: Sequence[str]) -> list[Answer]:
    """Return what each statement gives, in a thread that ends with the caller. Raises SourceFailedError."""
    given_up = threading.Event()
    try:
        return await in_thread(lambda: _ask_all(path, seconds, statements, given_up), "sqlite")
    finally:
        given_up.set()


def _ask_all(path: str, seconds: float, statements: Sequence[str], given_up: threading.Event) -> list[Answer]:
    file = Path(path).expanduser()
    if not file.is_file():
        raise SourceFailedError(f"There is no file {path}, or the bot may not see it")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(file.absolute()))}?mode=ro", uri=True, timeout=seconds, isolation_level=None
        )
    except sqlite3.Error as error:
        raise SourceFailedError(_reason(error)) from None
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE_BYTES)
        connection.set_authorizer(_authorize)
        return [_ask(connection, statement, seconds, given_up) for statement in statements]
    finally:
        connection.close()


def _ask(connection: sqlite3.Connection, statement: str, seconds: float, given_up: threading.Event) -> Answer:
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: given_up.is_set() or time.monotonic() > deadline, _STEPS)
    table = Table()
    try:
        cursor = connection.execute(statement)
        table.columns = [column[0] for column in cursor.description or ()]
        for row in cursor:
            if not table.add(row):
                break
        cursor.close()
    except SourceFailedError as error:
        return error
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        return SourceFailedError(_reason(error))
    return table


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    """https://www.sqlite.org/c3ref/set_authorizer.html"""
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() != "load_extension":
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _PRAGMAS and not second:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _reason(error: Exception) -> str:
    text = one_line(str(error))
    if text == "interrupted":
        return "The query takes too long"
    if text in ("not authorized", "authorization denied"):
        return "The database is only read: this statement is not allowed"
    return f"The database says: {text}"

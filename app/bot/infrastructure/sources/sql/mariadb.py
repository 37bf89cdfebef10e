"""Queries on MariaDB and MySQL that can only read.

Each runs in a transaction of its own that is read-only, and must begin like a query: a procedure could end the
transaction. PREPARE takes no second statement behind it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any

from app.bot.domain.formatting.markdown import one_line
from app.bot.domain.readings.reading import MAX_ITEMS
from app.bot.infrastructure.network.errors import explain_cause
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.sources.sql.tables import Answer, Login, Table
from app.bot.infrastructure.threads import in_thread

_QUERY = re.compile(r"[\s(]*(select|with|values|table|show|explain|describe|desc)\b", re.IGNORECASE)
_REFUSED_LOGIN = (1044, 1045, 1698)
_NO_DATABASE = 1049
_TOO_LONG = (1969, 3024)


async def ask(login: Login, statements: Sequence[str]) -> list[Answer]:
    """Return what each statement gives, on one connection. Raises SourceFailedError when there is no connection."""
    asyncmy: Any = await in_thread(lambda: importlib.import_module("asyncmy"), "import-asyncmy")
    try:
        connection = await asyncmy.connect(
            host=login.host,
            port=login.port,
            database=login.database or None,
            user=login.username,
            password=login.password,
            ssl=login.tls,
            charset="utf8mb4",
            connect_timeout=3_600,  # the poll has its own
            autocommit=True,
            program_name="homelab",
        )
    except _failures() as error:
        raise SourceFailedError(_connection_reason(error)) from None
    try:
        await _limit(connection, login.seconds)
        return [await _ask(connection, statement) for statement in statements]
    except _failures() as error:
        raise SourceFailedError(_reason(error)) from None
    finally:
        connection.close()


async def _limit(connection: Any, seconds: float) -> None:
    """Set the server's own limits of time and rows."""
    mariadb = "mariadb" in connection.get_server_info().lower()
    limit = f"max_statement_time={seconds:g}" if mariadb else f"max_execution_time={int(seconds * 1000)}"
    async with connection.cursor() as cursor:
        await cursor.execute(f"SET SESSION {limit}, sql_select_limit={MAX_ITEMS + 1}")


async def _ask(connection: Any, statement: str) -> Answer:
    from asyncmy.cursors import SSCursor

    if _QUERY.match(statement) is None:
        return SourceFailedError("The database is only read: a query begins with SELECT, WITH, VALUES, TABLE or SHOW")
    table = Table()
    cursor = connection.cursor(SSCursor)
    try:
        await cursor.execute("START TRANSACTION READ ONLY")
        # As a number, the text needs no quotes and no escapes, which the server's modes would change.
        await cursor.execute(f"SET @homelab = CONVERT(0x{statement.encode().hex()} USING utf8mb4)")
        await cursor.execute("PREPARE homelab FROM @homelab")
        await cursor.execute("EXECUTE homelab")
        table.columns = [str(column[0]) for column in cursor.description or ()]
        while (row := await cursor.fetchone()) is not None:
            table.add(row)
        await cursor.execute("ROLLBACK")
    except SourceFailedError as error:
        return error
    except _failures() as error:
        await connection.rollback()
        return SourceFailedError(_reason(error))
    return table


def _failures() -> tuple[type[Exception], ...]:
    from asyncmy.errors import MySQLError

    # What an answer that is none does to the library: it parses without a check.
    return (MySQLError, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError)


def _connection_reason(error: Exception) -> str:
    code = error.args[0] if error.args else None
    if code in _REFUSED_LOGIN:
        return "The server refuses the user name or password"
    if code == _NO_DATABASE:
        return "There is no such database on the server"
    if (reason := explain_cause(error)) is not None:
        return reason
    return _reason(error) if _is_told(error) else "The answer is not that of a MariaDB or MySQL server"


def _reason(error: Exception) -> str:
    if error.args and error.args[0] in _TOO_LONG:
        return "The query takes too long"
    if _is_told(error):
        return f"The database says: {one_line(str(error.args[1]))}"
    return "The connection to the database broke"


def _is_told(error: Exception) -> bool:
    """Whether the server said it: it numbers its errors below those that the library makes up (2000 to 2999)."""
    from asyncmy.errors import MySQLError

    match error.args:
        case (int() as code, str(), *_):
            return isinstance(error, MySQLError) and not 2_000 <= code < 3_000
    return False

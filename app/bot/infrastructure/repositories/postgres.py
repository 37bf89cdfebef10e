"""How repositories talk to PostgreSQL: a schema that changes under the bot is normal, and every failure has a name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from app.bot.domain.errors import HomelabError, MissingColumnError, MissingTableError, StorageUnavailableError
from app.shared.kit.text import postgres_safe_text

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_STALE_STATEMENT = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.exceptions.OutdatedSchemaCacheError,
)
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
)


class StorageRefusedError(HomelabError):
    """The database will never take this: it breaks a rule of the table, or its parent row is gone. No retry helps."""


@asynccontextmanager
async def named_failures() -> AsyncIterator[None]:
    """Turn asyncpg's errors into named ones: missing table or column, storage unavailable, refused."""
    try:
        yield
    except asyncpg.UndefinedTableError as error:
        raise MissingTableError(f"The database has no such table: {_first_line(error)}") from error
    except asyncpg.UndefinedColumnError as error:
        raise MissingColumnError(f"The database has no such column: {_first_line(error)}") from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise MissingTableError(f"The bot's database role may not use it: {_first_line(error)}") from error
    except _UNAVAILABLE as error:
        if isinstance(error, ValueError):  # an argument that the driver could not encode
            raise StorageRefusedError(f"The database refuses it: {_first_line(error)}") from error
        raise StorageUnavailableError(f"The database cannot be reached: {_first_line(error)}") from error
    except (asyncpg.PostgresError, ValueError) as error:
        raise StorageRefusedError(f"The database refuses it: {_first_line(error)}") from error


async def fetch(pool: Pool, query: str, *arguments: Any) -> list[asyncpg.Record]:
    """Return the rows of a query.

    A statement prepared before an ALTER TABLE fails once; asyncpg drops it then, so the same query works the second
    time, with the new columns. Raises what `named_failures` names.
    """
    async with named_failures():
        try:
            return await pool.fetch(query, *arguments)
        except _STALE_STATEMENT:
            return await pool.fetch(query, *arguments)


async def execute(pool: Pool, query: str, *arguments: Any) -> None:
    """Run a statement whose rows no one wants; the same second try, the same errors as `fetch`."""
    await fetch(pool, query, *arguments)


def storable(text: str | None) -> str | None:
    """Return a text from outside as PostgreSQL takes it."""
    return text and postgres_safe_text(text)


def _first_line(error: Exception) -> str:
    """Return what PostgreSQL said without DETAIL, which can hold a row's values."""
    said = str(error.args[0]).splitlines()[0] if error.args and str(error.args[0]) else ""
    return said or type(error).__name__

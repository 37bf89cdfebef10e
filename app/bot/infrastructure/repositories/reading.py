"""How repositories talk to PostgreSQL: a schema that changes under the bot is normal, and every failure has a name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_STALE_STATEMENT = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.exceptions.OutdatedSchemaCacheError,
)
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
)


@asynccontextmanager
async def named_failures() -> AsyncIterator[None]:
    """Turn asyncpg's errors into the domain's: missing table, missing column, storage unavailable."""
    try:
        yield
    except asyncpg.UndefinedTableError as error:
        raise MissingTableError(f"The database has no such table: {error}") from error
    except asyncpg.UndefinedColumnError as error:
        raise MissingColumnError(f"The database has no such column: {error}") from error
    except _UNAVAILABLE as error:
        raise StorageUnavailableError(f"The database cannot be reached: {type(error).__name__}") from error


async def fetch(pool: Pool, query: str, *arguments: Any) -> list[asyncpg.Record]:
    """The rows of a query.

    A statement prepared before an ALTER TABLE fails once; asyncpg drops it then, so the same query works the second
    time, with the new columns. Raises what `named_failures` names.
    """
    async with named_failures():
        try:
            return await pool.fetch(query, *arguments)
        except _STALE_STATEMENT:
            return await pool.fetch(query, *arguments)


async def execute(pool: Pool, query: str, *arguments: Any) -> None:
    """Run a statement whose rows nobody wants; the same second try, the same errors as `fetch`."""
    await fetch(pool, query, *arguments)

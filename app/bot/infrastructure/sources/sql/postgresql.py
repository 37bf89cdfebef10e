"""Queries on PostgreSQL that can only read, however they are written.

Each is the query of a cursor in a transaction that is read-only: DECLARE takes nothing but SELECT, VALUES and WITH,
and the extended protocol takes no second statement behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import asyncpg

from app.bot.domain.formatting.markdown import one_line
from app.bot.domain.readings.reading import MAX_ITEMS
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.sources.sql import postgresql_frames
from app.bot.infrastructure.sources.sql.tables import TOO_LARGE, Answer, Login, Table

_BATCH_ROWS = 50
_LARGEST_TRAFFIC_BYTES = 16 * 1024 * 1024
_FAILED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError)


async def ask(login: Login, statements: Sequence[str]) -> list[Answer]:
    """Return what each statement gives, on one connection. Raises SourceFailedError when there is no connection."""
    milliseconds = str(int(login.seconds * 1000))
    watch = postgresql_frames.WatchedLoop(asyncio.get_running_loop(), _LARGEST_TRAFFIC_BYTES)
    try:
        connection = await asyncpg.connect(
            loop=cast(asyncio.AbstractEventLoop, watch),
            host=login.host,
            port=login.port,
            database=login.database,
            user=login.username,
            password=login.password,
            ssl=login.tls or False,
            statement_cache_size=0,
            server_settings={
                "application_name": "homelab",
                "default_transaction_read_only": "on",
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
            },
        )
    except _FAILED as error:
        raise SourceFailedError(_connection_reason(error)) from None
    try:
        watch.cover(connection)
        return [await _ask(connection, statement, watch) for statement in statements]
    finally:
        connection.terminate()


async def _ask(connection: asyncpg.Connection[Any], statement: str, watch: postgresql_frames.WatchedLoop) -> Answer:
    table = Table()
    try:
        async with connection.transaction(readonly=True):
            # fetch() with the extended protocol; execute() would take several statements.
            await connection.fetch(f"DECLARE homelab NO SCROLL CURSOR FOR {statement}")
            fetch = await connection.prepare(f"FETCH FORWARD {_BATCH_ROWS} FROM homelab")
            table.columns = [attribute.name for attribute in fetch.get_attributes()]
            while len(table.rows) <= MAX_ITEMS and (rows := await fetch.fetch()):
                if not all(table.add(tuple(row)) for row in rows):
                    break
    except SourceFailedError as error:
        return error
    except _FAILED as error:
        return SourceFailedError(TOO_LARGE if watch.exceeded else _reason(error))
    return table


def _connection_reason(error: Exception) -> str:
    match error:
        case OSError():  # also what is wrong with a certificate, which is a ValueError besides
            return explain(error)
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "The server refuses the user name or password"
        case asyncpg.InvalidCatalogNameError():
            return "There is no such database on the server"
        case asyncpg.PostgresError() if not isinstance(error, asyncpg.PostgresConnectionError):
            return _reason(error)
    return "The answer is not that of a PostgreSQL server"


def _reason(error: Exception) -> str:
    match error:
        case OSError():
            return explain(error)
        case asyncpg.QueryCanceledError():
            return "The query takes too long"
        case asyncpg.PostgresError() if not isinstance(error, asyncpg.PostgresConnectionError):
            return f"The database says: {one_line(str(error.args[0] if error.args else error))}"
    return "The connection to the database broke"

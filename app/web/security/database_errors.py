"""What the database says no to, as an answer: it cannot be reached, or a value can be none of its."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from app.bot.domain.errors import StorageUnavailableError
from app.bot.infrastructure.repositories.postgres import StorageRefusedError
from app.shared.database.core.connection import CONNECTION_LOST
from app.web.security.refusals import refusal

_NOT_READY = (
    *CONNECTION_LOST,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    StorageUnavailableError,
)
DATABASE_ERRORS = (*_NOT_READY, DBAPIError, StorageRefusedError)


def explained(request: Request, error: BaseException) -> Response | None:
    """Return the answer to a request that ended with one of DATABASE_ERRORS; None when the program itself is wrong."""
    path = request.url.path
    if _is_gone(error):
        return refusal(path, 503, "The database does not answer", "Try again in a moment.")
    if isinstance(error, DBAPIError) and isinstance(getattr(error.orig, "__cause__", None), asyncpg.DataError):
        return refusal(path, 400, "Not possible", "Something in this address is no value that there can be.")
    return None


def add_database_handlers(app: Starlette) -> None:
    """Have a mounted application give these answers; it would answer 500 by itself otherwise."""

    async def answer(request: Request, error: Exception) -> Response:
        found = explained(request, error)
        if found is None:
            raise error
        return found

    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, answer)


def _is_gone(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(getattr(error.orig, "__cause__", None), _NOT_READY)
    return isinstance(error, _NOT_READY) or isinstance(error.__cause__, _NOT_READY)

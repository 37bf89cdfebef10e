"""Single connections: waiting for the server at start, and the codecs that every connection uses."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any

import asyncpg
import structlog

from app.shared.database.core.errors import (
    DatabaseRefusedError,
    DatabaseUnavailableError,
    UnsupportedServerError,
)
from app.shared.database.core.urls import describe, plain_url
from app.shared.kit.backoff import Backoff
from app.shared.kit.text import postgres_safe_text

log = structlog.get_logger(__name__)

MINIMUM_VERSION = 15
"""PostgreSQL 15: the first where no one but its owner may create in the schema `public`."""
CONNECT_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 10.0
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

TOO_DEEP: Mapping[str, Any] = {"nested too deeply to be read": True}
"""Stands for such JSON. No config has a setting of this name, so it is refused by a text that says what is wrong."""

CONNECTION_LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, TimeoutError)
"""What a connection raises when the server went away or cannot be reached."""
_NOT_READY = (*CONNECTION_LOST, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)


def encode_json(value: Any) -> str:
    """JSON as PostgreSQL takes it in jsonb: no NaN or infinity (null), no NUL or lone surrogate (replaced)."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, default=str)
    if "\\u0000" in text:
        text = _NUL.sub(r"\1\\ufffd", text)
    return postgres_safe_text(text)


def decode_json(text: str) -> Any:
    """JSON from the database. What Python cannot hold becomes TOO_DEEP, so that the rows beside it can be read."""
    try:
        return json.loads(text)
    except RecursionError:
        return dict(TOO_DEEP)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


async def set_codecs(connection: asyncpg.Connection) -> None:
    """Make json and jsonb come and go as Python objects."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encode_json, decoder=decode_json, format="text"
        )


async def connect(url: str, application_name: str = "homelab") -> asyncpg.Connection:
    """Connect, with JSON codecs. Raises DatabaseUnavailableError (retry) or DatabaseRefusedError (do not)."""
    address = plain_url(url)
    try:
        connection = await asyncpg.connect(
            address, timeout=CONNECT_SECONDS, server_settings={"application_name": application_name}
        )
        await set_codecs(connection)
    except (ValueError, TypeError, asyncpg.ClientConfigurationError) as error:
        # The library's text would quote a part of the address, which may be the password.
        raise DatabaseRefusedError(
            "The database address cannot be read. It looks like postgresql://user:password@host:5432/database; "
            "special characters in the password are written in percent encoding."
        ) from error
    except _REFUSED as error:
        raise DatabaseRefusedError(
            f"PostgreSQL refused {describe(url)}: {error}. Check role, password and database in DATABASE_URL."
        ) from error
    except _NOT_READY as error:
        raise DatabaseUnavailableError(f"PostgreSQL does not answer for {describe(url)}: {_reason(error)}.") from error
    return connection


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:g} s"
    if isinstance(error, FileNotFoundError):
        return "its socket does not exist, it is not running"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error).rstrip(".") or type(error).__name__


async def wait_for_database(
    url: str,
    *,
    timeout_seconds: float | None = None,
    pause_seconds: float = 1.0,
    minimum_version: int = MINIMUM_VERSION,
) -> None:
    """Return when the server takes connections; log one clear line for each attempt that fails.

    `timeout_seconds` None waits for ever. Raises DatabaseUnavailableError at the end of the time,
    DatabaseRefusedError for what no waiting helps, and UnsupportedServerError for a server that is too old.
    """
    deadline = math.inf if timeout_seconds is None else time.monotonic() + timeout_seconds
    backoff = Backoff(pause_seconds, _LONGEST_PAUSE_SECONDS)
    while True:
        pause = backoff.next()
        try:
            connection = await connect(url, "homelab start")
        except DatabaseUnavailableError as error:
            if time.monotonic() + pause > deadline:
                raise
            log.warning(f"{error} Trying again in {pause:g} s")
        else:
            await _check_version(connection, minimum_version)
            return
        await asyncio.sleep(pause)


async def _check_version(connection: asyncpg.Connection, minimum_version: int) -> None:
    try:
        version = connection.get_server_version()
    finally:
        await connection.close()
    if version.major < minimum_version:
        raise UnsupportedServerError(
            f"The server is PostgreSQL {version.major}, but {minimum_version} or later is needed. Upgrade the server, "
            "or unset DATABASE_URL to use the embedded one."
        )

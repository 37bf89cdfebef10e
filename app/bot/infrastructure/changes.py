"""Hearing of changed rows: LISTEN on one dedicated connection, with a slow poll of the revisions as the fallback.

A notification is a hint, never the truth. Notifications sent while nobody listened are lost, so every new connection
begins with a full reload; and a poll of definition_revisions finds what a notification failed to tell.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from app.bot.domain.changes import Change
from app.bot.domain.errors import StorageUnavailableError

log = structlog.get_logger(__name__)

CHANNEL = "homelab_changes"
POLL_SECONDS = 30.0
"""How often the connection is tested and the revisions are compared."""
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.5, 30.0

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]


class ChangeListener:
    """Calls `apply` for each change in order, and `reload` after every (re)connection and every missed change."""

    def __init__(
        self,
        connect: Connect,
        apply: Callable[[Change], Awaitable[None]],
        reload: Callable[[], Awaitable[None]],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._connect = connect
        self._apply = apply
        self._reload = reload
        self._poll_seconds = poll_seconds
        self._revisions: dict[str, int] = {}
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled. One log line when the database is lost, one when it is back."""
        pause = FIRST_RETRY_SECONDS
        lost = False
        while True:
            try:
                connection = await self._connect()
                try:
                    if lost:
                        log.info("database connection is back; reloading all definitions")
                    lost, pause = False, FIRST_RETRY_SECONDS
                    await self._listen(connection)
                finally:
                    self.connected.clear()
                    connection.terminate()
            except (
                OSError,
                TimeoutError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                StorageUnavailableError,
            ) as error:
                if not lost:
                    log.warning("database connection lost; dashboards stay, trying again", reason=type(error).__name__)
                lost = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_RETRY_SECONDS)

    async def _listen(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Dispatch changes until the connection is lost; raises what ended it."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        connection.add_termination_listener(lambda _connection: queue.put_nowait(None))
        await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, payload: _enqueue(queue, payload))
        # Listening before reading: what changes in between is heard and only loaded twice, never missed.
        self._revisions = await _read_revisions(connection)
        await self._reload()
        self.connected.set()
        while True:
            try:
                change = await asyncio.wait_for(queue.get(), self._poll_seconds)
            except TimeoutError:
                await self._compare_revisions(connection)
                continue
            if change is None:
                raise ConnectionResetError("The database closed the connection")
            await self._apply(change)
            if queue.empty():
                self._revisions = await _read_revisions(connection)

    async def _compare_revisions(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Reload all when a table moved on without a notification; also finds out that a connection is dead."""
        revisions = await asyncio.wait_for(_read_revisions(connection), self._poll_seconds)
        if revisions != self._revisions:
            log.info("definitions changed without a notification; reloading")
            self._revisions = revisions
            await self._reload()


def _enqueue(queue: asyncio.Queue[Change | None], payload: object) -> None:
    try:
        data = json.loads(str(payload))
        key, parent = data["id"], data.get("parent")
        change = Change(
            data["table"], None if key is None else str(key), data["op"], None if parent is None else int(parent)
        )
    except (ValueError, KeyError, TypeError):
        log.warning("ignored a notification that is not of the product's form", payload=str(payload)[:200])
    else:
        queue.put_nowait(change)


async def _read_revisions(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, int]:
    """Revision by table; empty when the table is missing, for the poll is only a fallback."""
    try:
        records = await connection.fetch("SELECT table_name, revision FROM definition_revisions")
    except asyncpg.UndefinedTableError:
        return {}
    return {record["table_name"]: record["revision"] for record in records}

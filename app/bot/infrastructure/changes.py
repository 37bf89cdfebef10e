"""Hearing of changed rows: LISTEN on one dedicated connection, with a slow poll beside it.

A notification is a hint, never the truth. Notifications sent while no one listened are lost, so every new connection
begins with a full reload. The poll does three things with one cheap query: it finds out that a connection is dead, it
finds changes that no notification told of (a connection pooler between bot and server swallows them all), and it finds
altered tables, which have no triggers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

import asyncpg
import structlog

from app.bot.domain.changes import Change
from app.bot.domain.errors import StorageUnavailableError
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage

log = structlog.get_logger(__name__)

CHANNEL = "homelab_changes"
POLL_SECONDS = 1.0
"""An altered table is seen within this time; the query reads some twenty rows."""
DEAD_AFTER_SECONDS = 10.0
"""A connection that takes longer to answer the poll is taken for dead."""
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.25, 15.0
MANY_CHANGES = 200
"""More changes than this that wait at once are handled by one full reload, which takes fewer queries."""

_TABLES = """
SELECT table_name, revision, (
    SELECT md5(string_agg(concat_ws(' ', attrelid, attnum, attname, atttypid, attisdropped), ',' ORDER BY attnum))
    FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(table_name)) AND attnum > 0
) AS columns
FROM definition_revisions
"""

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]


class TableState(NamedTuple):
    """How a definition table stood at a poll: how often it changed, and a digest of its columns (None: no table)."""

    revision: int
    columns: str | None


class ChangeListener:
    """Calls `apply` for each change in order, and `reload` after every (re)connection."""

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
        self._tables: dict[str, TableState] = {}
        self._heard: set[str] = set()
        self._unheard: set[str] = set()
        self.connected = asyncio.Event()
        """Set while everything is loaded and changes are heard."""

    async def run(self) -> None:
        """Listen until cancelled. One log line when the database is lost, one when it is back."""
        backoff = Backoff(FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS)
        outage = Outage(
            log, "database lost; dashboards stay, trying again", "database is back; all definitions are reloaded"
        )
        while True:
            try:
                connection = await self._connect()
                try:
                    queue = await self._begin(connection)
                    outage.recover()
                    backoff.reset()
                    await self._dispatch(connection, queue)
                finally:
                    self.connected.clear()
                    connection.terminate()
            except Exception as error:  # noqa: BLE001  # the guarded edge: whatever it was, a new start and a reload mend it
                outage.fail(_reason(error))
            await asyncio.sleep(backoff.next())

    async def _begin(self, connection: asyncpg.Connection[asyncpg.Record]) -> asyncio.Queue[Change | None]:
        """Listen, then load everything: what changes in between is heard and only loaded twice, never missed."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        connection.add_termination_listener(lambda _connection: queue.put_nowait(None))
        await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, payload: _enqueue(queue, payload))
        self._tables = await _read_tables(connection)
        self._heard, self._unheard = set(), set()
        await self._reload()
        self.connected.set()
        return queue

    async def _dispatch(
        self, connection: asyncpg.Connection[asyncpg.Record], queue: asyncio.Queue[Change | None]
    ) -> None:
        """Pass changes on until the connection is lost; raises what ended it."""
        clock = asyncio.get_running_loop().time
        next_poll = clock() + self._poll_seconds
        while True:
            try:
                async with asyncio.timeout_at(next_poll):
                    waiting = [await queue.get()]
            except TimeoutError:
                await self._poll(connection)
                next_poll = clock() + self._poll_seconds
                continue
            while not queue.empty():
                waiting.append(queue.get_nowait())
            changes = [change for change in waiting if change is not None]
            self._heard.update(change.table for change in changes)
            await self._pass_on(changes)
            if len(changes) < len(waiting):
                raise StorageUnavailableError("The database closed the connection")

    async def _pass_on(self, changes: Iterable[Change]) -> None:
        """Apply each change once, however often it was announced meanwhile."""
        different = {(change.table, change.id, change.parent): change for change in changes}
        if len(different) > MANY_CHANGES:
            await self._reload()
            return
        for change in different.values():
            await self._apply(change)

    async def _poll(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Apply what no notification told: an altered table at once, a changed one at the second look.

        The count can be seen a moment before its notification is heard, so a first look proves nothing.
        """
        now = await _read_tables(connection)
        for name in now.keys() | self._tables.keys():
            before, after = self._tables.get(name), now.get(name)
            altered = before is None or after is None or before.columns != after.columns
            changed = before != after
            heard = name in self._heard
            if changed and not altered and not heard and name not in self._unheard:
                self._unheard.add(name)
                continue
            self._unheard.discard(name)
            self._heard.discard(name)
            if after is None:
                del self._tables[name]
            else:
                self._tables[name] = after
            if altered or (changed and not heard):
                log.info("definitions changed without a notification", table=name, altered=altered)
                await self._apply(Change(name, None))


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


async def _read_tables(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, TableState]:
    """Return the state of each definition table; empty when they are not counted, for the poll is only a fallback."""
    try:
        records = await connection.fetch(_TABLES, timeout=DEAD_AFTER_SECONDS)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        return {}
    return {record["table_name"]: TableState(record["revision"], record["columns"]) for record in records}


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

"""The listener on a real database: in order, through lost connections, altered tables and lost notifications."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.bot.domain.changes import Change
from app.bot.domain.errors import StorageUnavailableError
from app.bot.infrastructure import changes as module
from app.bot.infrastructure.changes import ChangeListener
from app.shared.database.core.connection import connect
from app.shared.database.core.errors import DatabaseUnavailableError
from tests.support import factories
from tests.support.database import Database

LONG = 60.0
APPLICATION = "test listener"


class Bot:
    """Remembers what the listener told, and can be waited for."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.reloads = 0
        self.failures: list[Exception] = []
        self._told = asyncio.Event()

    async def apply(self, change: Change) -> None:
        self._fail()
        self.changes.append(change)
        self._told.set()

    async def reload(self) -> None:
        self._fail()
        self.reloads += 1
        self._told.set()

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; it is looked at whenever the listener tells something."""
        async with asyncio.timeout(20):
            while not condition():
                self._told.clear()
                await self._told.wait()


Start = Callable[..., Awaitable[ChangeListener]]


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture(autouse=True)
def retry_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_RETRY_SECONDS", 0.01)


@pytest.fixture
async def start(database: Database, bot: Bot) -> AsyncIterator[Start]:
    tasks: list[asyncio.Task[None]] = []

    async def start_one(
        poll_seconds: float = LONG, open_connection: Callable[[], Awaitable[Any]] | None = None
    ) -> ChangeListener:
        listener = ChangeListener(
            open_connection or (lambda: connect(database.bot_url, APPLICATION)), bot.apply, bot.reload, poll_seconds
        )
        tasks.append(asyncio.create_task(listener.run()))
        async with asyncio.timeout(20):
            await listener.connected.wait()
        return listener

    yield start_one
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def kill_listener(owner: asyncpg.Connection) -> None:
    await owner.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1", APPLICATION
    )


async def test_it_loads_everything_once_before_it_counts_as_connected(start: Start, bot: Bot) -> None:
    await start()
    assert (bot.reloads, bot.changes) == (1, [])


async def test_changes_are_told_in_order(start: Start, bot: Bot, owner: asyncpg.Connection) -> None:
    await start()
    guild = await factories.guild(owner)
    board = await factories.dashboard(owner, guild_id=guild["id"])
    part = await factories.component(owner, dashboard_id=board["id"])
    await owner.execute("DELETE FROM dashboard_components")
    setting = await factories.setting(owner)
    await bot.until(lambda: bool(bot.changes) and bot.changes[-1].table == "settings")
    different = list(dict.fromkeys((change.table, change.id, change.parent) for change in bot.changes))
    assert different == [
        ("guilds", str(guild["id"]), None),
        ("dashboards", str(board["id"]), None),
        ("dashboard_components", str(part["id"]), board["id"]),
        ("settings", setting["key"], None),
    ]
    assert bot.reloads == 1


async def test_a_row_announced_more_than_once_at_a_time_is_told_once(
    start: Start, bot: Bot, owner: asyncpg.Connection
) -> None:
    await start()
    async with owner.transaction():
        service = await factories.service(owner)
        await owner.execute("UPDATE services SET enabled = false")
    await factories.action(owner)
    await bot.until(lambda: bool(bot.changes) and bot.changes[-1].table == "actions")
    assert [change.id for change in bot.changes if change.table == "services"] == [str(service["id"])]


async def test_a_flood_of_changes_is_one_reload(
    start: Start, bot: Bot, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY_CHANGES", 3)
    await start()
    await owner.execute(
        "INSERT INTO services (name, type) SELECT 'service ' || number, 'x' FROM generate_series(1, 500) AS number"
    )
    await bot.until(lambda: bot.reloads > 1)


async def test_a_truncated_table_is_told_without_a_row(start: Start, bot: Bot, owner: asyncpg.Connection) -> None:
    await start()
    await owner.execute("TRUNCATE actions")
    await bot.until(lambda: bool(bot.changes))
    assert bot.changes == [Change("actions", None, "TRUNCATE")]


async def test_a_notification_of_another_form_is_ignored(start: Start, bot: Bot, owner: asyncpg.Connection) -> None:
    await start()
    with capture_logs() as lines:
        for payload in ("nonsense", "[]", '{"table": "x"}', '{"table": "x", "id": 1, "op": "U", "parent": {}}'):
            await owner.execute("SELECT pg_notify('homelab_changes', $1)", payload)
        await factories.service(owner)
        await bot.until(lambda: bool(bot.changes))
    assert [line["event"][:7] for line in lines] == ["ignored"] * 4
    assert [change.table for change in bot.changes] == ["services"]


async def test_a_lost_connection_is_opened_again_and_everything_reloaded(
    start: Start, bot: Bot, owner: asyncpg.Connection
) -> None:
    listener = await start()
    with capture_logs() as lines:
        for reloads in (2, 3):
            await kill_listener(owner)
            await bot.until(lambda reloads=reloads: bot.reloads == reloads)
            await listener.connected.wait()
        await factories.service(owner)
        await bot.until(lambda: bool(bot.changes))
    assert [line["event"] for line in lines] == [
        "database lost; dashboards stay, trying again",
        "database is back; all definitions are reloaded",
    ] * 2


async def test_a_database_that_is_down_for_long_has_one_line_down_and_one_up(
    start: Start, bot: Bot, owner: asyncpg.Connection, database: Database
) -> None:
    down = False
    refused = 0

    async def open_connection() -> asyncpg.Connection:
        nonlocal refused
        if down:
            refused += 1
            raise DatabaseUnavailableError("PostgreSQL does not answer.")
        return await connect(database.bot_url, APPLICATION)

    listener = await start(open_connection=open_connection)
    with capture_logs() as lines:
        down = True
        await kill_listener(owner)
        while refused < 4:  # noqa: ASYNC110  # the listener tells nobody that it tries
            await asyncio.sleep(0.01)
        assert not listener.connected.is_set()
        down = False
        await bot.until(lambda: bot.reloads == 2)
        await listener.connected.wait()
    assert [line["log_level"] for line in lines] == ["warning", "info"]


@pytest.mark.parametrize("failure", [StorageUnavailableError("gone"), RuntimeError("a fault of ours")])
async def test_a_change_that_cannot_be_applied_ends_in_a_reload(
    start: Start, bot: Bot, owner: asyncpg.Connection, failure: Exception
) -> None:
    await start()
    bot.failures = [failure]
    await factories.service(owner)
    await bot.until(lambda: bot.reloads == 2)


async def test_a_first_load_that_fails_is_tried_again(start: Start, bot: Bot) -> None:
    bot.failures = [StorageUnavailableError("gone"), StorageUnavailableError("gone")]
    await start()
    assert bot.reloads == 1


async def test_what_changes_between_listening_and_loading_is_told(
    start: Start, bot: Bot, owner: asyncpg.Connection
) -> None:
    reload = bot.reload

    async def change_meanwhile() -> None:
        await reload()
        if bot.reloads == 1:
            await factories.service(owner)

    bot.reload = change_meanwhile  # type: ignore[method-assign]
    await start()
    await bot.until(lambda: bool(bot.changes))


async def test_a_connection_that_no_longer_answers_is_replaced(
    start: Start, bot: Bot, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEAD_AFTER_SECONDS", 0.05)
    frozen: list[asyncpg.Connection] = []

    async def open_connection() -> asyncpg.Connection:
        connection = await connect(database.bot_url, APPLICATION)
        if not frozen:
            frozen.append(connection)
        return connection

    await start(poll_seconds=0.05, open_connection=open_connection)
    # Like a cable that was pulled: nothing arrives any more, and no one says so.
    frozen[0]._transport.pause_reading()
    await bot.until(lambda: bot.reloads >= 2)


class Deaf:
    """A connection through a pooler that swallows notifications."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def add_listener(self, channel: str, callback: object) -> None:
        """Hear nothing."""


async def test_a_change_without_a_notification_is_found_by_the_poll(
    start: Start, bot: Bot, owner: asyncpg.Connection, database: Database
) -> None:
    async def open_connection() -> Any:
        return Deaf(await connect(database.bot_url, APPLICATION))

    await start(poll_seconds=0.02, open_connection=open_connection)
    await factories.service(owner)
    await bot.until(lambda: bool(bot.changes))
    await factories.data_source(owner)
    await bot.until(lambda: len(bot.changes) == 2)
    assert bot.changes == [Change("services", None), Change("data_sources", None)]
    assert bot.reloads == 1


async def test_a_change_that_was_heard_is_not_found_again_by_the_poll(
    start: Start, bot: Bot, owner: asyncpg.Connection
) -> None:
    await start(poll_seconds=0.05)
    with capture_logs() as lines:
        for _ in range(20):
            await factories.service(owner)
            await asyncio.sleep(0.01)
        await owner.execute("ALTER TABLE actions ADD COLUMN marker text")  # after this, the poll has been round again
        await bot.until(lambda: bot.changes[-1].table == "actions")
        await owner.execute("ALTER TABLE actions DROP COLUMN marker")
        await bot.until(lambda: len([change for change in bot.changes if change.table == "actions"]) == 2)
    assert len([change for change in bot.changes if change.table == "services"]) == 20
    assert {line["table"] for line in lines} == {"actions"}


async def test_an_altered_table_is_told_though_it_has_no_notification(
    start: Start, bot: Bot, owner: asyncpg.Connection
) -> None:
    await start(poll_seconds=0.02)
    for number, statement in enumerate(
        (
            "ALTER TABLE dashboards ADD COLUMN team text DEFAULT 'night'",
            "ALTER TABLE dashboards ALTER COLUMN team TYPE varchar(9)",
            "ALTER TABLE dashboards RENAME COLUMN team TO crew",
            "ALTER TABLE dashboards DROP COLUMN crew",
            "ALTER TABLE dashboards RENAME TO boards",
            "ALTER TABLE boards RENAME TO dashboards",
        ),
        start=1,
    ):
        await owner.execute(statement)
        await bot.until(lambda number=number: len(bot.changes) == number)
    assert bot.changes == [Change("dashboards", None)] * 6
    assert bot.reloads == 1


async def test_without_the_counts_notifications_are_heard_all_the_same(
    start: Start, bot: Bot, owner: asyncpg.Connection
) -> None:
    await owner.execute("DROP TABLE definition_revisions")
    await owner.execute("DROP FUNCTION homelab_count_revision")
    await owner.execute("CREATE FUNCTION homelab_count_revision(text) RETURNS void LANGUAGE sql AS ''")
    await start(poll_seconds=0.02)
    await factories.service(owner)
    await bot.until(lambda: bool(bot.changes))
    assert bot.changes[0].table == "services"

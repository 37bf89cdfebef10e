"""The memory of messages in the database: written at once where a crash would hurt, later while it is away."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import structlog

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent
from app.bot.application.publishing.schedule import PublishSchedule, ScheduledDashboard
from app.bot.application.runtime.wakeable_sleep import WakeableSleep
from app.bot.domain.dashboards.placements import DashboardMessage, Placement
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.repositories import PlacementRepository

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_IDLE_SECONDS = 3_600.0
_LAST_WRITE_SECONDS = 2.0
_LATER = (StorageUnavailableError, MissingTableError, MissingColumnError)
"""Failures of the storage, not of a row: it is kept and written later."""

Row = Placement | DashboardMessage
_Key = tuple[type[Row], int]


class MessageStore:
    """Keeps the newest state of each row until it is written.

    One log line when writing fails, one when it works again.
    """

    def __init__(self, repository: PlacementRepository) -> None:
        self._repository = repository
        self._waiting: dict[_Key, Row | None] = {}
        self._lock = asyncio.Lock()
        self._sleep = WakeableSleep()
        self._failing = False

    async def load(self) -> tuple[Placement, ...]:
        """Return every placement, after what an earlier run of the publisher still had to write.

        Raises StorageUnavailableError.
        """
        await self._write_all()
        return await self._repository.all()

    def later(self, row: Row) -> None:
        """Have a row written soon; an older state of it that still waits is replaced."""
        self._waiting[_key(row)] = row
        self._sleep.wake()

    async def commit(self, row: Row) -> bool:
        """Write a row now. False when the database cannot take it now: it is then written later."""
        self._waiting[_key(row)] = row
        if self._failing:
            return False
        await self._write(_key(row))
        return self._waiting.get(_key(row)) is not row

    async def delete(self, row: Row) -> None:
        """Delete a row now, or later when the database cannot take it now."""
        self._waiting[_key(row)] = None
        if not self._failing:
            await self._write(_key(row))

    async def place(self, dashboard_id: int, channel_id: int, origin: str) -> Placement:
        """Make the row of a placement, or return the one there is. Raises StorageUnavailableError."""
        if None in self._waiting.values():  # maybe the deletion of this very row, which must not come after
            await self._write_all()
            if self._failing:
                raise StorageUnavailableError("The memory of messages cannot be written now.")
        return await self._repository.place(dashboard_id, channel_id, origin)

    async def add_message(self, placement: Placement, position: int) -> DashboardMessage | None:
        """Make the row of a further message; None when the database cannot take it now."""
        if self._waiting:  # maybe the deletion of a row at the same position
            await self._write_all()
        if self._failing:
            return None
        try:
            return await self._repository.add_message(placement.id, position)
        except StorageUnavailableError:
            return None

    async def run(self) -> None:
        """Write until cancelled."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            if not self._waiting:
                await self._sleep.sleep(_IDLE_SECONDS)
            await self._write_all()
            if self._failing:
                await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE_SECONDS) if self._failing else _FIRST_PAUSE_SECONDS

    async def write_last(self) -> None:
        """Write what waits, on the way out: briefly, for the database may be gone."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._write_all(), _LAST_WRITE_SECONDS)

    async def _write_all(self) -> None:
        for key in list(self._waiting):
            if not await self._write(key):
                return

    async def _write(self, key: _Key) -> bool:
        """Write one row, unless that was just done; False when the storage is away."""
        # One at a time: an older state must never overtake a newer one on another connection.
        async with self._lock:
            if key not in self._waiting:
                return True
            row = self._waiting[key]
            try:
                await self._save(row) if row is not None else await self._delete(key)
            except _LATER as error:
                self._failed(str(error))
                return False
            except Exception as error:  # noqa: BLE001  # a row that cannot be stored must not keep the others from it
                log.warning("a placement cannot be stored", row=key[1], reason=type(error).__name__)
            if self._waiting.get(key) is row:
                del self._waiting[key]
            self._worked()
            return True

    async def _save(self, row: Row) -> None:
        if isinstance(row, Placement):
            await self._repository.save(row)
        else:
            await self._repository.save_message(row)

    async def _delete(self, key: _Key) -> None:
        kind, number = key
        if kind is Placement:
            await self._repository.delete(number)
        else:
            await self._repository.delete_message(number)

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("the memory of messages cannot be written; dashboards stay, writing follows", reason=reason)

    def _worked(self) -> None:
        if self._failing:
            self._failing = False
            log.info("the memory of messages is written again")


class PlacementLoader:
    """Fills the schedule from the rows. One log line when they cannot be read, one when they can again."""

    def __init__(self, store: MessageStore, schedule: PublishSchedule) -> None:
        self._store = store
        self._schedule = schedule
        self._failing = False

    async def load(self) -> None:
        """Begin with what earlier runs left behind; wait for a database that is away."""
        self._schedule.clear()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                placements = await self._store.load()
                break
            except StorageUnavailableError as error:
                self._failed(str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE_SECONDS)
        self._worked()
        for placement in placements:
            entry = self._schedule.get(placement.dashboard_id)
            if entry.in_channel(placement.channel_id) is None:  # else a command placed it while the rows were read
                entry.channels.append(DashboardInChannel.loaded(placement))

    async def place(self, dashboard_id: int, channel_id: int) -> DashboardInChannel:
        """Make the row of what a user wants in a channel. Raises StorageUnavailableError."""
        placement = await self._store.place(dashboard_id, channel_id, "command")
        return self._show(self._schedule.get(dashboard_id), placement)

    async def follow(self, entry: ScheduledDashboard, channel_id: int) -> None:
        """Make the row of what the definition wants in a channel; it is committed before anything is posted."""
        pause = 0.0
        try:
            placement = await self._store.place(entry.id, channel_id, "definition")
        except StorageUnavailableError as error:
            self._failed(str(error))
            pause = _LAST_PAUSE_SECONDS
        except Exception as error:  # noqa: BLE001  # the guarded edge: the dashboard may have been deleted meanwhile
            log.warning("a dashboard cannot be placed", dashboard=entry.id, reason=describe_fault(error))
            pause = _LAST_PAUSE_SECONDS
        else:
            self._worked()
            entry.set_intent(self._show(entry, placement))  # the definition may have changed meanwhile
        finally:
            entry.placing = None
            self._schedule.schedule(entry, asyncio.get_running_loop().time() + pause)

    def _show(self, entry: ScheduledDashboard, placement: Placement) -> DashboardInChannel:
        """Take a placement that was just stored as wanted."""
        shown = entry.in_channel(placement.channel_id)
        if shown is None:
            shown = DashboardInChannel.loaded(placement)
            entry.channels.append(shown)
        shown.intent = Intent.SHOW
        shown.placement = replace(shown.placement, removed=False)
        self._store.later(shown.placement)
        for message in shown.messages:
            message.row = replace(message.row, error=None)
            self._store.later(message.row)
        shown.try_again()
        return shown

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("the memory of messages cannot be read; trying again", reason=reason)

    def _worked(self) -> None:
        if self._failing:
            self._failing = False
            log.info("the memory of messages is read again")


def _key(row: Row) -> _Key:
    return type(row), row.id

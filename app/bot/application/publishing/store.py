"""The memory of messages in the database: written at once where a crash would hurt, later while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import structlog

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent
from app.bot.application.publishing.schedule import PublishSchedule, ScheduledDashboard
from app.bot.domain.dashboards.placements import DashboardMessage, Placement
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.repositories import PlacementRepository
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.write_behind import WriteBehind

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_LATER = (StorageUnavailableError, MissingTableError, MissingColumnError)
"""Failures of the storage, not of a row: it is kept and written later."""

Row = Placement | DashboardMessage
_Key = tuple[str, int]
_PLACEMENT = "placement"


class MessageStore:
    """Keeps the newest state of each row until it is written."""

    def __init__(self, repository: PlacementRepository) -> None:
        self._repository = repository
        self._rows: WriteBehind[_Key, Row | None] = WriteBehind(
            "a placement or a message",
            "row",
            self._write,
            outage=Outage(
                log,
                "the memory of messages cannot be written; dashboards stay, writing follows",
                "the memory of messages is written again",
            ),
            later=_LATER,
            backoff=Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS),
            batch=1,  # what is committed at once must not wait for all the others
        )
        self.run = self._rows.run
        self.write_last = self._rows.write_last

    async def load(self) -> tuple[Placement, ...]:
        """Return every placement, after what an earlier run of the publisher still had to write.

        Raises StorageUnavailableError.
        """
        await self._write_waiting()
        return await self._repository.all()

    def later(self, row: Row) -> None:
        """Have a row written soon; an older state of it that still waits is replaced."""
        self._rows.put(_key(row), row)

    async def commit(self, row: Row) -> bool:
        """Write a row now. False when the database cannot take it now: it is then written later."""
        return await self._rows.write_now(_key(row), row)

    async def delete(self, row: Row) -> None:
        """Delete a row now, or later when the database cannot take it now."""
        await self._rows.write_now(_key(row), None)

    async def place(self, dashboard_id: int, channel_id: int, origin: str) -> Placement:
        """Make the row of a placement, or return the one there is. Raises StorageUnavailableError."""
        if None in self._rows.waiting.values():  # maybe the deletion of this very row, which must not come after
            await self._write_waiting()
        return await self._repository.place(dashboard_id, channel_id, origin)

    async def add_message(self, placement: Placement, position: int) -> DashboardMessage | None:
        """Make the row of a further message; None when the database cannot take it now."""
        await self._rows.flush()  # maybe the deletion of a row at the same position
        if self._rows.outage.active:
            return None
        try:
            return await self._repository.add_message(placement.id, position)
        except StorageUnavailableError:
            return None

    async def _write_waiting(self) -> None:
        """Write all that waits. Raises StorageUnavailableError."""
        if not await self._rows.flush():
            raise StorageUnavailableError("The memory of messages cannot be written now.")

    async def _write(self, rows: Mapping[_Key, Row | None]) -> None:
        for (kind, number), row in rows.items():
            if isinstance(row, Placement):
                await self._repository.save(row)
            elif row is not None:
                await self._repository.save_message(row)
            elif kind == _PLACEMENT:
                await self._repository.delete(number)
            else:
                await self._repository.delete_message(number)


class PlacementLoader:
    """Fills the schedule from the rows."""

    def __init__(self, store: MessageStore, schedule: PublishSchedule) -> None:
        self._store = store
        self._schedule = schedule
        self._outage = Outage(
            log, "the memory of messages cannot be read; trying again", "the memory of messages is read again"
        )

    async def load(self) -> None:
        """Begin with what earlier runs left behind; wait for a database that is away."""
        self._schedule.clear()
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
        while True:
            try:
                placements = await self._store.load()
                break
            except StorageUnavailableError as error:
                self._outage.fail(str(error))
            await asyncio.sleep(backoff.next())
        self._outage.recover()
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
            self._outage.fail(str(error))
            pause = _LAST_PAUSE_SECONDS
        except Exception as error:  # noqa: BLE001  # the guarded edge: the dashboard may have been deleted meanwhile
            log.warning("a dashboard cannot be placed", dashboard=entry.id, reason=describe_fault(error))
            pause = _LAST_PAUSE_SECONDS
        else:
            self._outage.recover()
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


def _key(row: Row) -> _Key:
    return _PLACEMENT if isinstance(row, Placement) else "message", row.id

"""Writing what is known of messages to the database: at once where a crash would hurt, later while it is away."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from app.bot.application.runtime.wakeable_sleep import WakeableSleep
from app.bot.domain.dashboards.placements import Placement
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.repositories import PlacementRepository

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_IDLE_SECONDS = 3_600.0
_LAST_WRITE_SECONDS = 2.0
_LATER = (StorageUnavailableError, MissingTableError, MissingColumnError)
"""Failures of the storage, not of a placement: it is kept and written later."""


class PlacementMemory:
    """Keeps the newest state of each placement until it is written.

    One log line when writing fails, one when it works again.
    """

    def __init__(self, repository: PlacementRepository) -> None:
        self._repository = repository
        self._waiting: dict[int, Placement | None] = {}
        self._lock = asyncio.Lock()
        self._sleep = WakeableSleep()
        self._failing = False

    def later(self, placement: Placement) -> None:
        """Have a placement written soon; an older state of it that still waits is replaced."""
        self._waiting[placement.id] = placement
        self._sleep.wake()

    async def add(self, like: Placement, position: int) -> Placement | None:
        """Make the row of a further message beside this one; None when the database cannot take it now."""
        if self._waiting:  # maybe the deletion of a row at the same position
            await self._write_all()
        if self._failing:
            return None
        try:
            return await self._repository.place(like.dashboard_id, like.channel_id, like.origin, position)
        except StorageUnavailableError:
            return None

    async def delete(self, placement_id: int) -> None:
        """Delete a placement's row now, or later when the database cannot take it now."""
        self._waiting[placement_id] = None
        if not self._failing:
            await self._write(placement_id)

    async def commit(self, placement: Placement) -> bool:
        """Write a placement now. False when the database cannot take it now: it is then written later."""
        self._waiting[placement.id] = placement
        if self._failing:
            return False
        await self._write(placement.id)
        return self._waiting.get(placement.id) is not placement

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
        for placement_id in list(self._waiting):
            if not await self._write(placement_id):
                return

    async def _write(self, placement_id: int) -> bool:
        """Write one placement, unless somebody just did; False when the storage is away."""
        # One at a time: an older state must never overtake a newer one on another connection.
        async with self._lock:
            if placement_id not in self._waiting:
                return True
            placement = self._waiting[placement_id]
            try:
                if placement is None:
                    await self._repository.delete(placement_id)
                else:
                    await self._repository.save(placement)
            except _LATER as error:
                self._failed(str(error))
                return False
            except Exception as error:  # noqa: BLE001  # a row that cannot be stored must not keep the others from it
                log.warning("a placement cannot be stored", placement=placement_id, reason=type(error).__name__)
            if self._waiting.get(placement_id) is placement:
                del self._waiting[placement_id]
            self._worked()
            return True

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("the memory of messages cannot be written; dashboards stay, writing follows", reason=reason)

    def _worked(self) -> None:
        if self._failing:
            self._failing = False
            log.info("the memory of messages is written again")

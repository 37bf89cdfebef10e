"""Which dashboards are shown in which channels: the rows of earlier runs, and those that are newly wanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from app.bot.application.publishing.boards import Board, Boards
from app.bot.application.publishing.live import Live, Wish
from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.publishing.placement_memory import PlacementMemory
from app.bot.domain.dashboards.placements import Placement, PlacementState
from app.bot.domain.errors import StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.repositories import PlacementRepository

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0


class Placing:
    """Fills the boards from the rows. One log line when they cannot be read, one when they can again."""

    def __init__(self, repository: PlacementRepository, memory: PlacementMemory, boards: Boards) -> None:
        self._repository = repository
        self._memory = memory
        self._boards = boards
        self._failing = False

    async def load(self) -> None:
        """Begin with what earlier runs left behind; wait for a database that is away."""
        self._boards.clear()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                placements = await self._repository.all()
                break
            except StorageUnavailableError as error:
                self._failed(str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE_SECONDS)
        self._worked()
        for placement in placements:
            board = self._boards.get(placement.dashboard_id)
            live = board.live_in(placement.channel_id)
            if live is None:
                board.lives.append(Live.loaded(placement))
            else:  # another of its messages, unless a command placed this one while the others were loaded
                live.add([LiveMessage.loaded(placement)])

    async def place(self, dashboard_id: int, channel_id: int) -> Live:
        """Make the row of what a user wants in a channel. Raises StorageUnavailableError."""
        placement = await self._repository.place(dashboard_id, channel_id, "command")
        return self._adopt(self._boards.get(dashboard_id), placement)

    async def follow(self, board: Board, channel_id: int) -> None:
        """Make the row of what the definition wants in a channel; it is committed before anything is posted."""
        pause = 0.0
        try:
            placement = await self._repository.place(board.id, channel_id, "definition")
        except StorageUnavailableError as error:
            self._failed(str(error))
            pause = _LAST_PAUSE_SECONDS
        except Exception as error:  # noqa: BLE001  # the guarded edge: the dashboard may have been deleted meanwhile
            log.warning("a dashboard cannot be placed", dashboard=board.id, reason=describe_fault(error))
            pause = _LAST_PAUSE_SECONDS
        else:
            self._worked()
            live = self._adopt(board, placement)
            if not board.wants(live):  # the definition changed meanwhile
                live.wish = Wish.DISCARD
        finally:
            board.placing = None
            self._boards.schedule(board, asyncio.get_running_loop().time() + pause)

    def _adopt(self, board: Board, placement: Placement) -> Live:
        """Take a placement that was just stored as wanted."""
        live = board.live_in(placement.channel_id)
        if live is None:
            live = Live.loaded(placement)
            # Rows of earlier runs were loaded at the start: no message can exist for one made since.
            live.first.uncertain = live.first.uncertain and placement.message_id is not None
            board.lives.append(live)
        live.wish = Wish.SHOW
        first = live.first
        wanting = first.uncertain or first.placement.message_id is None
        state = PlacementState.POSTING if wanting else PlacementState.POSTED
        first.placement = replace(first.placement, state=state, error=None)
        live.try_again()
        self._memory.later(live.placement)
        return live

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("the memory of messages cannot be read; trying again", reason=reason)

    def _worked(self) -> None:
        if self._failing:
            self._failing = False
            log.info("the memory of messages is read again")

"""Publishing: every dashboard's messages show what it shows, at the pace of its refresh_rate, edited only on change."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.application.publishing.boards import Board, Boards
from app.bot.application.publishing.delivery import Delivery
from app.bot.application.publishing.live import Live, Wish
from app.bot.application.publishing.messenger import Messenger
from app.bot.application.publishing.painting import Painter
from app.bot.application.publishing.placement_memory import PlacementMemory
from app.bot.application.publishing.placing import Placing
from app.bot.application.publishing.sending import Sending
from app.bot.application.publishing.setbacks import Pauses, Setbacks
from app.bot.application.publishing.turning import Turn
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import changed_types
from app.bot.application.runtime.definitions import Definitions, Kind
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.placements import Placement, message_age
from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import describe_fault
from app.bot.domain.readings.discovery import dashboard_key
from app.bot.domain.repositories import PlacementRepository

log = structlog.get_logger(__name__)

WAIT_SECONDS = 10.0
"""How long posting and removing by a command wait for Discord; what takes longer goes on by itself."""
_LAST_PAUSE_SECONDS = 30.0


class UnknownPlacementError(HomelabError):
    """A dashboard that does not exist, or is switched off, cannot be placed."""


class PublishingConfig(BaseModel, title="Publisher"):
    """Shows the dashboards in Discord.

    Messages are posted once, edited only when what they show has changed, and posted anew when someone deletes them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_refresh_seconds: float = Field(2.0, ge=0.01, le=3_600, description="No dashboard is refreshed more often")
    refused_pause_seconds: float = Field(
        300.0,
        ge=0.01,
        le=86_400,
        description="Seconds until the next attempt where the bot lacks a permission, or Discord refuses a message",
    )
    first_retry_seconds: float = Field(
        1.0, ge=0.01, le=600, description="Seconds until the next attempt after Discord was not available"
    )
    last_retry_seconds: float = Field(60.0, ge=0.01, le=3_600, description="The longest such pause, which doubles")


class Publishing:
    """Keeps the messages. `run` may be cancelled and called again."""

    def __init__(
        self,
        definitions: Definitions,
        builder: DashboardBuilder,
        placements: PlacementRepository,
        messenger: Messenger,
        config: PublishingConfig | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        statistics: Statistics | None = None,
    ) -> None:
        self._definitions = definitions
        self._builder = builder
        self._config = config or PublishingConfig()
        self._statistics = statistics or Statistics()
        self._memory = PlacementMemory(placements)
        pauses = Pauses(
            self._config.refused_pause_seconds, self._config.first_retry_seconds, self._config.last_retry_seconds
        )
        self._painter = Painter(definitions, builder, clock)
        self._delivery = Delivery(
            Sending(messenger, self._memory, self._painter, clock),
            self._memory,
            self._painter,
            Setbacks(self._memory, pauses),
            dropped=self._dropped,
            age=lambda message_id: message_age(message_id, clock()),
        )
        self._boards = Boards()
        self._placing = Placing(placements, self._memory, self._boards)
        self._running = False
        self._loaded = asyncio.Event()
        definitions.subscribe(Kind.DASHBOARDS, self._dashboards_changed)
        definitions.subscribe(Kind.SOURCES, self._all_changed)
        definitions.subscribe(Kind.GUILDS, self._all_changed)  # how they write, or whether they are switched on
        self._types = dict(definitions.component_types)
        definitions.subscribe(Kind.COMPONENT_TYPES, self._types_changed)

    async def run(self) -> None:
        """Publish until cancelled."""
        self._loaded.clear()
        try:
            await self._placing.load()
            self._dashboards_changed(None)
            self._running = True
        finally:
            self._loaded.set()
        writing = asyncio.create_task(self._memory.run())
        try:
            while True:
                self._attend(await self._boards.next_due())
        finally:
            self._running = False
            await self._stop(writing)

    def refresh(self, dashboard_id: int) -> None:
        """Build the dashboard and compare it with its messages now, whatever its refresh_rate."""
        board = self._boards.find(dashboard_id)
        if board is not None:
            self._boards.schedule(board)

    def source_read(self, source: str) -> None:
        """A source has a fresh reading: dashboards that use it follow at once, unless they just changed.

        What a user changed goes before them, for a thousand dashboards may use one source.
        """
        now = _now()
        for board in {*self._boards.using(source), *self._offered_by(source)}:
            if board.sent_at + self._pause(board) <= now:
                self._boards.schedule(board, now)

    def _offered_by(self, source: str) -> list[Board]:
        """The boards of dashboards to which something of the source adds itself, though nothing on them names it."""
        keys = self._builder.offered_by(source)
        boards = ((board, board.dashboard) for board in self._boards if keys)
        return [board for board, shown in boards if shown is not None and dashboard_key(shown.name) in keys]

    def placements_of(self, dashboard_id: int) -> tuple[Placement, ...]:
        """The dashboard's placements, one for each message, as they are now."""
        board = self._boards.find(dashboard_id)
        return tuple(row for live in board.lives for row in live.placements()) if board is not None else ()

    async def place(self, dashboard_id: int, channel_id: int) -> Placement:
        """Show a dashboard in a channel from now on, and wait a moment for its messages.

        The placement's state and error tell how it went. Raises UnknownPlacementError or StorageUnavailableError.
        """
        dashboard = self._definitions.dashboards.get(dashboard_id)
        if dashboard is None or not dashboard.enabled:
            raise UnknownPlacementError("There is no such dashboard, or it is switched off in the web admin.")
        live = await self._placing.place(dashboard_id, channel_id)
        if dashboard.channel_id != channel_id:  # a user wants it here, whatever the definition says from now on
            live.first.placement = replace(live.placement, origin="command")
        await self._finish(live)
        return live.outcome

    async def remove(self, dashboard_id: int, channel_id: int) -> bool:
        """Take a dashboard out of a channel and keep it out; False where it was not shown."""
        board = self._boards.find(dashboard_id)
        live = board.live_in(channel_id) if board is not None else None
        if live is None or live.wish is not Wish.SHOW:
            return False
        live.wish = Wish.REMOVE
        live.try_again()
        await self._finish(live)
        return True

    async def show_page(self, message_id: int, page: str | None) -> Turn | None:
        """Turn the messages to a page; what the click must be answered with. None for an unknown message."""
        return self._turned(message_id, lambda live: self._painter.turn(live, page))

    async def show_variable(self, message_id: int, name: str, values: Sequence[str]) -> Turn | None:
        """Choose the values of a variable for all who look at the messages; the same as for a page."""
        return self._turned(message_id, lambda live: self._painter.choose(live, name, values))

    def _turned(self, message_id: int, draw: Callable[[Live], tuple[View, ...]]) -> Turn | None:
        found = self._boards.live_of_message(message_id)
        views = draw(found[0]) if found is not None else ()
        if found is None or not views:
            return None
        live, message = found
        self._memory.later(live.placement)
        view = views[min(message.placement.position, len(views) - 1)]
        turn = Turn(message, view, self._memory, lambda: self.refresh(live.placement.dashboard_id))
        self._start(live)  # the other messages follow by edits
        return turn

    def message_deleted(self, message_id: int) -> None:
        """Somebody deleted a message: if it was one of these, it is posted anew."""
        found = self._boards.live_of_message(message_id)
        if found is not None:
            live, message = found
            message.gone_id = message_id
            self._start(live)

    def channel_deleted(self, channel_id: int) -> None:
        """A channel is gone, and all its messages."""
        for board in self._boards:
            live = board.live_in(channel_id)
            if live is not None:
                for message in live.messages:
                    message.unverified = message.placement.message_id is not None
                self._start(live)

    def channel_changed(self, channel_id: int) -> None:
        """A channel's permissions may have changed: what failed there is tried again at once."""
        for board in self._boards:
            live = board.live_in(channel_id)
            if live is not None and live.failing:
                live.try_again()
                self._boards.schedule(board)

    # The loop

    def _dashboards_changed(self, dashboard_id: int | None) -> None:
        known = {board.id for board in self._boards}
        ids = {*self._definitions.dashboards, *known} if dashboard_id is None else {dashboard_id}
        for changed in ids:
            board = self._boards.get(changed)
            if board.dashboard is None or board.dashboard != self._definitions.dashboards.get(changed):
                board.stale = True
                self._boards.schedule(board)

    def _all_changed(self, _changed: int | None) -> None:
        now = _now()
        for board in self._boards:
            self._boards.schedule(board, now)

    def _types_changed(self, _changed: int | None) -> None:
        """Have every dashboard built anew, at once, that uses a template type which is not as it was."""
        changed = changed_types(self._types, self._definitions.component_types)
        self._types = dict(self._definitions.component_types)
        for board in self._boards if changed else ():
            if board.dashboard is not None and changed & self._builder.types_of(board.dashboard):
                board.stale = True
                self._boards.schedule(board)

    def _attend(self, board: Board) -> None:
        """One dashboard's turn. Whatever its rows hold, it never takes the others down with it."""
        if Kind.DASHBOARDS in self._definitions.unavailable:
            return  # a dashboard that is not there may only not be readable: no message is removed for that
        try:
            if board.stale:
                self._follow(board)
            self._check(board)
        except Exception as error:  # noqa: BLE001  # the guarded edge of one dashboard
            log.warning("a dashboard cannot be published", dashboard=board.id, reason=describe_fault(error))
            self._boards.schedule(board, _now() + _LAST_PAUSE_SECONDS)

    def _follow(self, board: Board) -> None:
        """Make the placements follow the definition, after it changed."""
        before, dashboard = board.dashboard, self._definitions.dashboards.get(board.id)
        board.follow(dashboard)
        if dashboard is None and before is not None:
            self._builder.forget(before)
        self._boards.use(board, self._builder.sources_of(dashboard) if dashboard is not None else frozenset())
        self._boards.forget_if_gone(board)

    def _check(self, board: Board) -> None:
        """Compare what the messages show with what they should, and deliver where they differ."""
        if board.channel_id is not None and board.live_in(board.channel_id) is None and board.placing is None:
            board.placing = asyncio.create_task(self._placing.follow(board, board.channel_id))
        now = _now()
        for live in list(board.lives):
            live.dirty = True
            if live.retry_at <= now:
                self._start(live)
            if live.patient_until is not None and now < live.patient_until:
                self._boards.schedule(board, live.patient_until)
        dashboard = self._definitions.dashboards.get(board.id)
        if dashboard is not None:  # what it reads is known for certain once it was built
            self._boards.use(board, self._builder.sources_of(dashboard))
        if board.dashboard is not None and board.dashboard.enabled:
            self._boards.schedule(board, now + self._pause(board))

    def _start(self, live: Live) -> None:
        """Have a delivery run, if there is anything to deliver."""
        if live.busy or not self._running:
            return
        if not self._delivery.is_pending(live):
            self._statistics.skipped += live.wish is Wish.SHOW
            return
        live.task = asyncio.create_task(self._delivery.run(live))
        live.task.add_done_callback(lambda _task: self._delivered(live))

    def _delivered(self, live: Live) -> None:
        """Come back to what failed when it is time."""
        board = self._boards.find(live.placement.dashboard_id)
        if not self._running or board is None or live.dropped:
            return
        for due in (live.retry_at, live.grow_at, live.order_at):
            if _now() < due < math.inf:
                self._boards.schedule(board, due)

    async def _finish(self, live: Live) -> None:
        """Wait a moment until a placement is as wanted, or its delivery failed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._loaded.wait(), WAIT_SECONDS)
        self._start(live)
        if live.task is not None and not live.task.done():
            await asyncio.wait({live.task}, timeout=WAIT_SECONDS)

    def _dropped(self, live: Live) -> None:
        board = self._boards.find(live.placement.dashboard_id)
        if board is not None and live in board.lives:
            board.lives.remove(live)
            self._boards.schedule(board)
            self._boards.forget_if_gone(board)

    def _pause(self, board: Board) -> float:
        """Seconds from one change of a dashboard's messages to the next."""
        try:
            rate = float(board.dashboard.refresh_rate) if board.dashboard is not None else 0.0
        except (TypeError, ValueError):  # somebody altered the column's type
            rate = _LAST_PAUSE_SECONDS
        return max(self._config.min_refresh_seconds, rate)

    async def _stop(self, writing: asyncio.Task[None]) -> None:
        """End what is on its way, and write what is left."""
        writing.cancel()
        tasks = [live.task for board in self._boards for live in board.lives if live.task is not None]
        tasks += [board.placing for board in self._boards if board.placing is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(writing, *tasks, return_exceptions=True)
        await self._memory.write_last()


def _now() -> float:
    return asyncio.get_running_loop().time()

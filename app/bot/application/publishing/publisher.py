"""The publisher keeps every dashboard's messages up to date, at its refresh_rate, and edits only what changed.

The way of a dashboard: the schedule says when it is due, the view cache builds what it should show, the plan compares
that with what its messages show and names the next step, the steps take it, the retry policy judges what failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent, MessageState
from app.bot.application.publishing.messenger import Messenger
from app.bot.application.publishing.plan import MessagePlan, Step
from app.bot.application.publishing.retry import Pauses, RetryPolicy
from app.bot.application.publishing.schedule import PublishSchedule, ScheduledDashboard
from app.bot.application.publishing.steps import InPlaceReply, MessageSteps
from app.bot.application.publishing.store import MessageStore, PlacementLoader
from app.bot.application.publishing.view_cache import ViewCache
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import changed_types
from app.bot.application.runtime.definitions import DefinitionCache, Table
from app.bot.application.runtime.service import Service
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.placements import Placement, message_age
from app.bot.domain.errors import HomelabError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.readings.discovery import dashboard_key
from app.bot.domain.repositories import PlacementRepository

log = structlog.get_logger(__name__)

WAIT_SECONDS = 10.0
"""How long posting and removing by a command wait for Discord; what takes longer goes on by itself."""
_LAST_PAUSE_SECONDS = 30.0


class UnknownPlacementError(HomelabError):
    """A dashboard that does not exist, or is switched off, cannot be placed."""


class PublisherConfig(BaseModel, title="Publisher"):
    """Shows the dashboards in Discord.

    Messages are posted once, edited only when what they show has changed, and posted again when someone deletes them.
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


class Publisher(Service[PublisherConfig]):
    """Keeps the messages."""

    name: ClassVar[str] = "publisher"
    config_model = PublisherConfig

    def __init__(
        self,
        definitions: DefinitionCache,
        builder: DashboardBuilder,
        placements: PlacementRepository,
        messenger: Messenger,
        config: PublisherConfig | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        statistics: Statistics | None = None,
    ) -> None:
        self._definitions = definitions
        self._builder = builder
        self._clock = clock
        self._statistics = statistics or Statistics()
        self._schedule = PublishSchedule()
        self._store = MessageStore(placements)
        self._loader = PlacementLoader(self._store, self._schedule)
        self._views = ViewCache(definitions, builder, clock)
        self._steps = MessageSteps(messenger, self._store, self._views, clock)
        self._retry = RetryPolicy(self._store)
        self.configure(config or PublisherConfig())
        self._running = False
        self._loaded = asyncio.Event()
        definitions.subscribe(Table.DASHBOARDS, self._dashboards_changed)
        definitions.subscribe(Table.SOURCES, self._all_changed)
        definitions.subscribe(Table.GUILDS, self._all_changed)  # how they write, or whether they are switched on
        self._types = dict(definitions.component_types)
        definitions.subscribe(Table.COMPONENT_TYPES, self._types_changed)

    def configure(self, config: PublisherConfig) -> None:
        """Take another config; it counts from the next look at a dashboard and the next failure on."""
        self._config = config
        self._retry.pauses = Pauses(config.refused_pause_seconds, config.first_retry_seconds, config.last_retry_seconds)

    async def run(self) -> None:
        """Publish until cancelled."""
        self._loaded.clear()
        try:
            await self._loader.load()
            self._dashboards_changed(None)
            self._running = True
        finally:
            self._loaded.set()
        writing = asyncio.create_task(self._store.run())
        try:
            while True:
                self._attend(await self._schedule.next_due())
        finally:
            self._running = False
            await self._stop(writing)

    # What others report

    def refresh(self, dashboard_id: int) -> None:
        """Build the dashboard and compare it with its messages now, whatever its refresh_rate."""
        entry = self._schedule.find(dashboard_id)
        if entry is not None:
            self._schedule.schedule(entry)

    def source_read(self, source: str) -> None:
        """Have dashboards that use a source follow its fresh reading at once, unless they just changed.

        What a user changed goes before them, for a thousand dashboards may use one source.
        """
        now = _now()
        for entry in {*self._schedule.using(source), *self._offered_by(source)}:
            if entry.sent_at + self._pause(entry) <= now:
                self._schedule.schedule(entry, now)

    def message_deleted(self, message_id: int) -> None:
        """Post a message again that a user deleted, if it was one of these."""
        found = self._schedule.find_message(message_id)
        if found is not None:
            shown, message = found
            message.gone_id = message_id
            self._start(shown)

    def channel_deleted(self, channel_id: int) -> None:
        """Verify every message in a channel that is gone, and so give them up."""
        for entry in self._schedule:
            shown = entry.in_channel(channel_id)
            if shown is not None:
                for message in shown.messages:
                    message.unverified = message.row.message_id is not None
                self._start(shown)

    def channel_changed(self, channel_id: int) -> None:
        """Try again at once what failed in a channel whose permissions may have changed."""
        for entry in self._schedule:
            shown = entry.in_channel(channel_id)
            if shown is not None and shown.failing:
                shown.try_again()
                self._schedule.schedule(entry)

    # What users ask for

    def placements_of(self, dashboard_id: int) -> tuple[Placement, ...]:
        """Return where the dashboard is shown, with its messages as they are now."""
        entry = self._schedule.find(dashboard_id)
        return tuple(shown.snapshot() for shown in entry.channels) if entry is not None else ()

    async def place(self, dashboard_id: int, channel_id: int) -> Placement:
        """Show a dashboard in a channel from now on, and wait a moment for its messages.

        The placement's state and error say how it went. Raises UnknownPlacementError or StorageUnavailableError.
        """
        dashboard = self._definitions.dashboards.get(dashboard_id)
        if dashboard is None or not dashboard.enabled:
            raise UnknownPlacementError("There is no such dashboard, or it is switched off in the web admin.")
        await self._until_loaded()
        shown = await self._loader.place(dashboard_id, channel_id)
        if dashboard.channel_id != channel_id:  # a user wants it here, whatever the definition says from now on
            shown.placement = replace(shown.placement, origin="command")
            self._store.later(shown.placement)
        await self._finish(shown)
        return shown.snapshot()

    async def remove(self, dashboard_id: int, channel_id: int) -> bool:
        """Take a dashboard out of a channel and keep it out; False where it was not shown.

        Raises StorageUnavailableError.
        """
        await self._until_loaded()
        entry = self._schedule.find(dashboard_id)
        shown = entry.in_channel(channel_id) if entry is not None else None
        if shown is None or shown.intent is not Intent.SHOW:
            return False
        shown.intent = Intent.REMOVE
        shown.try_again()
        await self._finish(shown)
        return True

    async def show_page(self, message_id: int, page: str | None) -> InPlaceReply | None:
        """Turn the messages to a page; return what the click must be answered with, None for an unknown message."""
        return self._reply(message_id, lambda shown: self._views.turn_page(shown, page))

    async def show_variable(self, message_id: int, name: str, values: Sequence[str]) -> InPlaceReply | None:
        """Choose the values of a variable for all who look at the messages; the same as for a page."""
        return self._reply(message_id, lambda shown: self._views.choose(shown, name, values))

    def _reply(self, message_id: int, choose: Callable[[DashboardInChannel], tuple[View, ...]]) -> InPlaceReply | None:
        found = self._schedule.find_message(message_id)
        views = choose(found[0]) if found is not None else ()
        if found is None or not views:
            return None
        shown, message = found
        self._store.later(shown.placement)
        view = views[min(message.row.position, len(views) - 1)]
        reply = InPlaceReply(
            message,
            view,
            self._store,
            go_on=lambda: self.refresh(shown.dashboard_id),
            is_known=lambda known_id: self._schedule.find_message(known_id) == found,
        )
        self._start(shown)  # the other messages follow by edits
        return reply

    async def _until_loaded(self) -> None:
        """Wait a moment for the rows of earlier runs. Raises StorageUnavailableError."""
        try:
            await asyncio.wait_for(self._loaded.wait(), WAIT_SECONDS)
        except TimeoutError:
            raise StorageUnavailableError("Where dashboards are shown cannot be read from the database now.") from None

    async def _finish(self, shown: DashboardInChannel) -> None:
        """Wait a moment until a dashboard is shown as wanted, or that failed."""
        self._start(shown)
        if shown.task is not None and not shown.task.done():
            await asyncio.wait({shown.task}, timeout=WAIT_SECONDS)

    # When dashboards are due

    def _dashboards_changed(self, dashboard_id: int | None) -> None:
        known = {entry.id for entry in self._schedule}
        ids = {*self._definitions.dashboards, *known} if dashboard_id is None else {dashboard_id}
        for changed in ids:
            entry = self._schedule.get(changed)
            if entry.dashboard is None or entry.dashboard != self._definitions.dashboards.get(changed):
                entry.stale = True
                self._schedule.schedule(entry)

    def _all_changed(self, _changed: int | None) -> None:
        now = _now()
        for entry in self._schedule:
            self._schedule.schedule(entry, now)

    def _types_changed(self, _changed: int | None) -> None:
        """Have every dashboard built again, at once, that uses a component template which is not as it was."""
        changed = changed_types(self._types, self._definitions.component_types)
        self._types = dict(self._definitions.component_types)
        for entry in self._schedule if changed else ():
            if entry.dashboard is not None and changed & self._builder.types_of(entry.dashboard):
                entry.stale = True
                self._schedule.schedule(entry)

    def _offered_by(self, source: str) -> list[ScheduledDashboard]:
        """Return the dashboards to which something of the source adds itself, though nothing on them names it."""
        keys = self._builder.offered_by(source)
        entries = ((entry, entry.dashboard) for entry in self._schedule if keys)
        return [entry for entry, shown in entries if shown is not None and dashboard_key(shown.name) in keys]

    def _pause(self, entry: ScheduledDashboard) -> float:
        """Return the seconds from one change of a dashboard's messages to the next."""
        try:
            rate = float(entry.dashboard.refresh_rate) if entry.dashboard is not None else 0.0
        except (TypeError, ValueError):  # a user altered the column's type
            rate = _LAST_PAUSE_SECONDS
        return max(self._config.min_refresh_seconds, rate)

    # What is done for one that is due

    def _attend(self, entry: ScheduledDashboard) -> None:
        """Look at one dashboard. Whatever its rows hold, it never takes the others down with it."""
        if Table.DASHBOARDS in self._definitions.unavailable:
            # A dashboard that is not there may only not be readable: no message is removed for that.
            self._schedule.schedule(entry, _now() + self._pause(entry))
            return
        try:
            if entry.stale:
                self._follow(entry)
            self._compare(entry)
        except Exception as error:  # noqa: BLE001  # the guarded edge of one dashboard
            log.warning("a dashboard cannot be published", dashboard=entry.id, reason=describe_fault(error))
            self._schedule.schedule(entry, _now() + _LAST_PAUSE_SECONDS)

    def _follow(self, entry: ScheduledDashboard) -> None:
        """Make the placements follow the definition, after it changed."""
        before, dashboard = entry.dashboard, self._definitions.dashboards.get(entry.id)
        entry.follow(dashboard)
        if dashboard is None and before is not None:
            self._builder.forget(before)
        self._note_sources(entry)
        self._schedule.forget_if_gone(entry)

    def _compare(self, entry: ScheduledDashboard) -> None:
        """Compare what the messages show with what they should, and start what is to be done."""
        if entry.channel_id is not None and entry.in_channel(entry.channel_id) is None and entry.placing is None:
            entry.placing = asyncio.create_task(self._loader.follow(entry, entry.channel_id))
        now = _now()
        for shown in list(entry.channels):
            shown.outdated = True
            if shown.retry_at <= now:
                self._start(shown)
            self._come_back(entry, shown)
        self._note_sources(entry)
        if entry.dashboard is not None and entry.dashboard.enabled:
            self._schedule.schedule(entry, now + self._pause(entry))

    def _note_sources(self, entry: ScheduledDashboard) -> None:
        """Note what the dashboard reads, which is known for certain once it was built."""
        dashboard = self._definitions.dashboards.get(entry.id)
        sources: frozenset[str] = self._builder.sources_of(dashboard) if dashboard is not None else frozenset()
        self._schedule.set_sources(entry, sources)

    def _start(self, shown: DashboardInChannel) -> None:
        """Have steps taken, if there are any to take."""
        if shown.is_busy or not self._running:
            return
        with contextlib.suppress(Exception):  # `_deliver` meets the same fault and stores it
            if self._next_step(shown) is None:
                self._statistics.skipped += shown.intent is Intent.SHOW
                return
        shown.task = asyncio.create_task(self._deliver(shown))
        shown.task.add_done_callback(lambda _task: self._delivered(shown))

    def _next_step(self, shown: DashboardInChannel) -> Step | None:
        now = _now()
        buildable = shown.intent is Intent.SHOW and shown.messages and shown.retry_at <= now
        views = self._views.views(shown) if buildable else ()
        return MessagePlan(shown, views, now, self._is_too_old(shown)).next_step()

    def _is_too_old(self, shown: DashboardInChannel) -> bool:
        """Return whether the first message is older than its dashboard wants."""
        dashboard = self._definitions.dashboards.get(shown.dashboard_id)
        message_id = shown.messages[0].row.message_id if shown.messages else None
        if dashboard is None or dashboard.renew_after is None or message_id is None:
            return False
        try:
            return message_age(message_id, self._clock()) >= dashboard.renew_after
        except TypeError:  # a user altered the column's type
            return False

    async def _deliver(self, shown: DashboardInChannel) -> None:
        """Take steps until none is left or one fails. Raises nothing but CancelledError."""
        while True:
            message: MessageState | None = None
            try:
                step = self._next_step(shown)
                if step is None:
                    self._retry.succeeded(shown)
                    return
                message = step.message
                await self._steps.take(shown, step)
            except Exception as error:  # noqa: BLE001  # the guarded edge: one dashboard must not stop the others
                concerned = message or next(iter(shown.messages), None)
                if not self._retry.failed(shown, concerned, error):
                    return

    def _delivered(self, shown: DashboardInChannel) -> None:
        """Forget what was taken down for good; come back to the rest when it is time."""
        entry = self._schedule.find(shown.dashboard_id)
        if entry is None:
            return
        if shown.dropped and shown in entry.channels:
            entry.channels.remove(shown)
            self._schedule.schedule(entry)
            self._schedule.forget_if_gone(entry)
        elif self._running:
            self._note_sources(entry)
            self._come_back(entry, shown)

    def _come_back(self, entry: ScheduledDashboard, shown: DashboardInChannel) -> None:
        """Have the dashboard looked at again when what could not be done now may be tried."""
        now = _now()
        for due in (shown.retry_at, shown.add_at, shown.order_at, shown.patient_until or now):
            if now < due < math.inf:
                self._schedule.schedule(entry, due)

    async def _stop(self, writing: asyncio.Task[None]) -> None:
        """End what is on its way, and write what is left."""
        writing.cancel()
        tasks = [shown.task for entry in self._schedule for shown in entry.channels if shown.task is not None]
        tasks += [entry.placing for entry in self._schedule if entry.placing is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(writing, *tasks, return_exceptions=True)
        await self._store.write_last()


def _now() -> float:
    return asyncio.get_running_loop().time()

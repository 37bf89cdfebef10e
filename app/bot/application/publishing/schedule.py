"""The dashboards with their placements while the bot runs, and when each is due."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent, MessageState
from app.bot.domain.dashboards.dashboard import Dashboard
from app.shared.kit.wakeable_sleep import WakeableSleep

_IDLE_SECONDS = 3_600.0


@dataclass(slots=True, eq=False)
class ScheduledDashboard:
    """A dashboard. `dashboard` is the definition that its placements follow; None at first, and once it is gone."""

    id: int
    dashboard: Dashboard | None = None
    channels: list[DashboardInChannel] = field(default_factory=list)
    sources: frozenset[str] = frozenset()
    due: float = math.inf
    placing: asyncio.Task[None] | None = None
    stale: bool = True

    @property
    def channel_id(self) -> int | None:
        """The channel where the definition wants the dashboard, if it is to be shown at all."""
        return self.dashboard.channel_id if self.dashboard is not None and self.dashboard.enabled else None

    @property
    def sent_at(self) -> float:
        """When one of its messages was last sent or edited."""
        return max((shown.sent_at for shown in self.channels), default=-math.inf)

    def in_channel(self, channel_id: int) -> DashboardInChannel | None:
        """Return the dashboard as it is shown in a channel."""
        return next((shown for shown in self.channels if shown.channel_id == channel_id), None)

    def follow(self, dashboard: Dashboard | None) -> None:
        """Set the aim for each channel under this definition."""
        self.stale = False
        self.dashboard = dashboard
        for shown in self.channels:
            self.set_intent(shown)
            shown.try_again()

    def set_intent(self, shown: DashboardInChannel) -> None:
        """Set the aim for a channel; a wish of a user stays one as long as the dashboard is shown at all."""
        if not self._wants(shown):
            shown.intent = Intent.DISCARD
        elif shown.intent is Intent.DISCARD:
            shown.intent = shown.intent_to_stay

    def _wants(self, shown: DashboardInChannel) -> bool:
        if self.dashboard is None or not self.dashboard.enabled:
            return False
        return shown.placement.origin != "definition" or shown.channel_id == self.dashboard.channel_id


class PublishSchedule:
    """All dashboards by id, by the sources they use, and by the time when they are due (the event loop's)."""

    def __init__(self) -> None:
        self._entries: dict[int, ScheduledDashboard] = {}
        self._by_source: dict[str, set[ScheduledDashboard]] = {}
        self._heap: list[tuple[float, int, ScheduledDashboard]] = []
        self._order = itertools.count()
        self._sleep = WakeableSleep()

    def __iter__(self) -> Iterator[ScheduledDashboard]:
        return iter(list(self._entries.values()))

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._by_source.clear()
        self._heap.clear()

    def find(self, dashboard_id: int) -> ScheduledDashboard | None:
        """Return the entry of a dashboard, if there is one."""
        return self._entries.get(dashboard_id)

    def get(self, dashboard_id: int) -> ScheduledDashboard:
        """Return the entry of a dashboard, made where there is none."""
        return self._entries.setdefault(dashboard_id, ScheduledDashboard(dashboard_id))

    def using(self, source: str) -> tuple[ScheduledDashboard, ...]:
        """Return the dashboards that use a source."""
        return tuple(self._by_source.get(source, ()))

    def set_sources(self, entry: ScheduledDashboard, sources: frozenset[str]) -> None:
        """Note which sources a dashboard uses."""
        for source in entry.sources - sources:
            self._by_source[source].discard(entry)
        for source in sources - entry.sources:
            self._by_source.setdefault(source, set()).add(entry)
        entry.sources = sources

    def find_message(self, message_id: int) -> tuple[DashboardInChannel, MessageState] | None:
        """Return the message with Discord's id, and the dashboard that it shows."""
        for entry in self._entries.values():
            for shown in entry.channels:
                if (message := shown.find(message_id)) is not None:
                    return shown, message
        return None

    def forget_if_gone(self, entry: ScheduledDashboard) -> None:
        """Forget a dashboard that was deleted, with its last message."""
        if entry.dashboard is None and not entry.stale and not entry.channels:
            self.set_sources(entry, frozenset())
            self._entries.pop(entry.id, None)

    def schedule(self, entry: ScheduledDashboard, due: float = -math.inf) -> None:
        """Have a dashboard looked at by then (the event loop's time), by default at once."""
        if due < entry.due:
            entry.due = due
            heapq.heappush(self._heap, (due, next(self._order), entry))
            self._sleep.wake()

    async def next_due(self) -> ScheduledDashboard:
        """Wait for the next dashboard that is due; it is not due any more then."""
        while True:
            # Everything else gets its turn between two dashboards: a thousand must not delay the gateway's heartbeats.
            await asyncio.sleep(0)
            while self._heap and not self._is_current(*self._heap[0]):
                heapq.heappop(self._heap)
            pause = self._heap[0][0] - asyncio.get_running_loop().time() if self._heap else _IDLE_SECONDS
            if pause <= 0:
                _, _, entry = heapq.heappop(self._heap)
                entry.due = math.inf
                return entry
            await self._sleep.sleep(min(pause, _IDLE_SECONDS))

    def _is_current(self, due: float, _order: int, entry: ScheduledDashboard) -> bool:
        return entry.due == due and self._entries.get(entry.id) is entry

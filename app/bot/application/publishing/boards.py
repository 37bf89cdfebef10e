"""The dashboards with their placements while the bot runs, and when each is due."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.bot.application.publishing.live import Live, Wish
from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.runtime.wakeable_sleep import WakeableSleep
from app.bot.domain.dashboards.dashboard import Dashboard

_IDLE_SECONDS = 3_600.0


@dataclass(slots=True, eq=False)
class Board:
    """A dashboard. `dashboard` is the definition that its placements follow; None at first, and once it is gone."""

    id: int
    dashboard: Dashboard | None = None
    lives: list[Live] = field(default_factory=list)
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
        return max((live.sent_at for live in self.lives), default=-math.inf)

    def live_in(self, channel_id: int) -> Live | None:
        """The placement in a channel."""
        return next((live for live in self.lives if live.placement.channel_id == channel_id), None)

    def follow(self, dashboard: Dashboard | None) -> None:
        """Say for each placement what should become of it under this definition."""
        self.stale = False
        self.dashboard = dashboard
        for live in self.lives:
            wanted = self.wants(live)
            if not wanted:
                live.wish = Wish.DISCARD
            elif live.wish is Wish.DISCARD:
                live.wish = Wish.SHOW
            live.try_again()

    def wants(self, live: Live) -> bool:
        """Whether a placement may stay: one that a user asked for as long as the dashboard is shown at all."""
        if self.dashboard is None or not self.dashboard.enabled:
            return False
        return live.placement.origin != "definition" or live.placement.channel_id == self.dashboard.channel_id


class Boards:
    """All boards by the dashboard's id, by the sources they use, and by the time when they are due."""

    def __init__(self) -> None:
        self._boards: dict[int, Board] = {}
        self._by_source: dict[str, set[Board]] = {}
        self._heap: list[tuple[float, int, Board]] = []
        self._order = itertools.count()
        self._sleep = WakeableSleep()

    def __iter__(self) -> Iterator[Board]:
        return iter(list(self._boards.values()))

    def clear(self) -> None:
        """Forget all."""
        self._boards.clear()
        self._by_source.clear()
        self._heap.clear()

    def find(self, dashboard_id: int) -> Board | None:
        """The board of a dashboard, if there is one."""
        return self._boards.get(dashboard_id)

    def get(self, dashboard_id: int) -> Board:
        """The board of a dashboard, made where there is none."""
        return self._boards.setdefault(dashboard_id, Board(dashboard_id))

    def using(self, source: str) -> tuple[Board, ...]:
        """The boards that use a source."""
        return tuple(self._by_source.get(source, ()))

    def use(self, board: Board, sources: frozenset[str]) -> None:
        """Say which sources a board uses."""
        for source in board.sources - sources:
            self._by_source[source].discard(board)
        for source in sources - board.sources:
            self._by_source.setdefault(source, set()).add(board)
        board.sources = sources

    def live_of_message(self, message_id: int) -> tuple[Live, LiveMessage] | None:
        """The message with this id, and what it is a message of."""
        lives = (live for board in self._boards.values() for live in board.lives)
        found = ((live, live.find(message_id)) for live in lives)
        return next(((live, message) for live, message in found if message is not None), None)

    def forget_if_gone(self, board: Board) -> None:
        """Forget a board whose dashboard was deleted, with its last message."""
        if board.dashboard is None and not board.stale and not board.lives:
            self.use(board, frozenset())
            self._boards.pop(board.id, None)

    def schedule(self, board: Board, due: float = -math.inf) -> None:
        """Have a board looked at by then (the event loop's time), by default at once."""
        if due < board.due:
            board.due = due
            heapq.heappush(self._heap, (due, next(self._order), board))
            self._sleep.wake()

    async def next_due(self) -> Board:
        """Wait for the next board that is due; it is not due any more then."""
        while True:
            # Everything else gets its turn between two boards: a thousand must not delay the gateway's heartbeats.
            await asyncio.sleep(0)
            while self._heap and not self._is_current(*self._heap[0]):
                heapq.heappop(self._heap)
            pause = self._heap[0][0] - asyncio.get_running_loop().time() if self._heap else _IDLE_SECONDS
            if pause <= 0:
                _, _, board = heapq.heappop(self._heap)
                board.due = math.inf
                return board
            await self._sleep.sleep(min(pause, _IDLE_SECONDS))

    def _is_current(self, due: float, _order: int, board: Board) -> bool:
        return board.due == due and self._boards.get(board.id) is board

"""Whose turn it is: requests wait here until Discord allows them, those that wait longest first.

Answers to interactions are not paced here: Discord does not count them, and someone waits for them.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import math
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp

from app.bot.application.publishing.messenger import Cadence
from app.bot.application.runtime.statistics import Statistics
from app.bot.infrastructure.discord.answer import Answer
from app.bot.infrastructure.discord.budgets import MARGIN_SECONDS, REQUESTS_PER_SECOND, OldEdits, WholeBot, Window
from app.bot.infrastructure.discord.exchange import traced
from app.shared.kit.wakeable_sleep import WakeableSleep

_NOT_COUNTED = ("/interactions/", "/webhooks/")
_WAITING_SECONDS = 3_600.0


class Route(StrEnum):
    """The routes whose buckets Discord counts by channel."""

    POST = "post"
    EDIT = "edit"
    DELETE = "delete"
    LOOK = "look"
    LIST = "list"
    PIN = "pin"


@dataclass(slots=True, eq=False)
class Turn:
    """A request that waits or was let go. `old`: it edits a message older than an hour."""

    lane: Lane
    old: bool
    since: float
    number: int
    granted: bool = False
    sleep: WakeableSleep = field(default_factory=WakeableSleep)

    @property
    def order(self) -> tuple[float, int]:
        """Smaller is earlier."""
        return self.since, self.number


@dataclass(slots=True, eq=False)
class Lane:
    """The requests to one route in one channel."""

    window: Window = field(default_factory=Window)
    old_edits: OldEdits = field(default_factory=OldEdits)
    waiting: list[Turn] = field(default_factory=list)

    def next(self, now: float) -> tuple[Turn | None, float]:
        """Return the turn that may go now, or when one may."""
        ready_at = self.window.ready_at(now)
        if ready_at > now:
            return None, ready_at
        ready_at = math.inf
        for turn in self.waiting:
            turn_at = self.old_edits.ready_at() if turn.old else now
            if turn_at <= now:
                return turn, now
            ready_at = min(ready_at, turn_at)
        return None, ready_at


class Pacing:
    """Knows every budget, learns from every answer, and gives out turns. For one event loop."""

    def __init__(
        self, statistics: Statistics | None = None, *, requests_per_second: float = REQUESTS_PER_SECOND
    ) -> None:
        self._statistics = statistics or Statistics()
        self._whole_bot = WholeBot(requests_per_second)
        self._lanes: dict[tuple[Route, int], Lane] = {}
        self._busy: set[Lane] = set()
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def trace(self) -> aiohttp.TraceConfig:
        """Return discord.Client's `http_trace`, so that the limits are learned from Discord's own headers."""
        return traced(self._sent_by_others, self._saw)

    def cadence(self, channel_id: int) -> Cadence:
        """Return what edits a channel can keep, as far as it is known."""
        lane = self._lanes.get((Route.EDIT, channel_id)) or Lane()
        return Cadence(lane.window.interval, lane.old_edits.interval, len(lane.waiting))

    def cadences(self) -> dict[int, Cadence]:
        """Return the same for every channel with a message that was edited."""
        return {channel_id: self.cadence(channel_id) for route, channel_id in self._lanes if route is Route.EDIT}

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return sum(len(lane.waiting) for lane in self._busy)

    async def turn(self, route: Route, channel_id: int, *, old: bool = False, since: float | None = None) -> Turn:
        """Wait until a request may go out. Each turn ends with `answered` or `unused`.

        `since` is when the wait began for a request that was refused and comes again; it keeps its place in the line.
        """
        now = self._now()
        lane = self._lanes.setdefault((route, channel_id), Lane())
        turn = Turn(lane, old, now if since is None else since, next(self._numbers))
        bisect.insort(lane.waiting, turn, key=lambda waiting: waiting.order)
        self._busy.add(lane)
        self._give_out()
        try:
            while not turn.granted:
                await turn.sleep.sleep(_WAITING_SECONDS)
        except asyncio.CancelledError:
            self._abandon(turn)
            raise
        return turn

    def answered(self, turn: Turn, answer: Answer | None) -> None:
        """Note that a request is over; `answer` is None where none came."""
        now = self._now()
        turn.lane.window.answered(now, answer)
        if turn.old:
            turn.lane.old_edits.answered(now, answer)
        self._give_out()

    def unused(self, turn: Turn) -> None:
        """Nothing was sent in this turn."""
        turn.lane.window.unused()
        if turn.old:
            turn.lane.old_edits.unused()
        self._whole_bot.give_back()
        self._give_out()

    def _abandon(self, turn: Turn) -> None:
        if turn.granted:
            self.unused(turn)
        else:
            turn.lane.waiting.remove(turn)
            if not turn.lane.waiting:
                self._busy.discard(turn.lane)

    def _give_out(self) -> None:
        """Let every request go that may, in the order of waiting over all channels; set the timer for the next one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._now()
        while self._busy:
            ready_at = self._whole_bot.ready_at()
            turn = None
            if ready_at <= now:
                turn, ready_at = self._first_ready(now)
            if turn is None:
                self._set_timer(ready_at)
                return
            self._grant(turn, now)

    def _first_ready(self, now: float) -> tuple[Turn | None, float]:
        first: Turn | None = None
        ready_at = math.inf
        for lane in self._busy:
            turn, lane_at = lane.next(now)
            if turn is None:
                ready_at = min(ready_at, lane_at)
            elif first is None or turn.order < first.order:
                first = turn
        return first, ready_at

    def _grant(self, turn: Turn, now: float) -> None:
        lane = turn.lane
        lane.waiting.remove(turn)
        if not lane.waiting:
            self._busy.discard(lane)
        lane.window.sent()
        if turn.old:
            lane.old_edits.sent(now)
        self._whole_bot.take(now)
        turn.granted = True
        turn.sleep.wake()

    def _set_timer(self, at: float) -> None:
        if at < math.inf:
            self._timer = asyncio.get_running_loop().call_at(at, self._give_out)

    def _sent_by_others(self, path: str) -> None:
        """Count what the rest of the bot (commands, start-up) sends: it spends the bot's budget too, without a turn."""
        if not any(part in path for part in _NOT_COUNTED):
            self._whole_bot.take(self._now())

    def _saw(self, answer: Answer) -> None:
        if not answer.limited:
            return
        self._statistics.rate_limited += 1
        if answer.limits_everything:
            self._whole_bot.refused(self._now() + answer.retry_after + MARGIN_SECONDS)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

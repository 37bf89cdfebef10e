"""What Discord allows: over all routes, by route and channel, and for edits of old messages.

The numbers here are only where the bot begins; what an answer says replaces them. Times are the event loop's, in
seconds. Sources: Discord's documentation of rate limits (50 requests a second; X-RateLimit headers), and its error code
30046, whose budget is published nowhere and is therefore measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.bot.infrastructure.discord.answer import OLD_MESSAGE_EDITS, Answer

REQUESTS_PER_SECOND = 50.0
HEADROOM, LEAST_HEADROOM, HEADROOM_STEP = 0.965, 0.90, 0.01
"""Part of the whole bot's limit that is used: the rest absorbs requests that the network delivers closer together than
they were sent. Each refusal shows that this network needs a step more."""
_SAME_REFUSAL_SECONDS = 0.25
"""Refusals that end this close together are one event: requests that were on their way at the same time."""
_EARLY = 0.25
"""By what part of its interval a request may be early, so that a timer's delay is not lost."""
WINDOW_REQUESTS, WINDOW_SECONDS = 5, 5.0
"""A message route's usual bucket."""
MARGIN_SECONDS = 0.01
"""Added to every reset, for Discord rounds them to milliseconds."""

_OLD_FACTOR, _OLD_SECONDS = 1.01, 0.01
"""What an interval gets on top, for requests may come closer together on their way to Discord."""
_SHORTEST_WAIT, _SHORTEST_INTERVAL, _LONGEST_INTERVAL = 0.5, 0.2, 600.0
_TRIAL_FACTOR, _REFUSED_FACTOR = 0.9, 1.25
_FIRST_TRIAL_SECONDS, _LAST_TRIAL_SECONDS = 3_600.0, 86_400.0
_FEW_EDITS = 20


@dataclass(slots=True)
class WholeBot:
    """The limit over all routes, spent evenly: a burst that is legal here could arrive as one that is not."""

    per_second: float = REQUESTS_PER_SECOND
    headroom: float = HEADROOM
    _next: float = 0.0
    _paused_until: float = 0.0

    @property
    def _interval(self) -> float:
        return 1.0 / (self.per_second * self.headroom)

    def ready_at(self) -> float:
        """When the next request may go."""
        return max(self._next - self._interval * _EARLY, self._paused_until)

    def take(self, now: float) -> None:
        """Count a request."""
        self._next = max(self._next, now) + self._interval

    def give_back(self) -> None:
        """Take back a request that was not sent."""
        self._next -= self._interval

    def refused(self, until: float) -> None:
        """Note that the limit was hit: send nothing until then, and go a little slower from then on."""
        if until > self._paused_until + _SAME_REFUSAL_SECONDS:
            self.headroom = max(LEAST_HEADROOM, self.headroom - HEADROOM_STEP)
        self._paused_until = max(self._paused_until, until)


@dataclass(slots=True)
class Window:
    """The bucket of one route in one channel: so many requests, then none until its reset."""

    limit: int = WINDOW_REQUESTS
    seconds: float = WINDOW_SECONDS
    in_flight: int = 0
    _remaining: int = WINDOW_REQUESTS
    _reset_at: float = 0.0
    _discord_reset: float = 0.0
    """The reset by Discord's clock, which tells one window from the next whatever the network does."""

    @property
    def interval(self) -> float:
        """Seconds from one request to the next that the bucket allows for ever."""
        return self.seconds / max(1, self.limit)

    def ready_at(self, now: float) -> float:
        """When the next request may go; infinity while only the answers on their way can tell."""
        if now < self._reset_at:
            return now if self._remaining > self.in_flight else self._reset_at
        return now if self.limit > self.in_flight else math.inf

    def sent(self) -> None:
        """Count a request that goes out now."""
        self.in_flight += 1

    def unused(self) -> None:
        """Take back a request that was not sent."""
        self.in_flight -= 1

    def answered(self, now: float, answer: Answer | None) -> None:
        """Learn from an answer; None where none came, or no one saw it."""
        self.in_flight -= 1
        if answer is not None and "X-RateLimit-Remaining" in answer.headers:
            self._follow(now, answer)
        else:
            self._count(now)
        if answer is not None and answer.limited and answer.code != OLD_MESSAGE_EDITS:
            self._remaining = 0
            self._reset_at = max(self._reset_at, now + answer.retry_after + MARGIN_SECONDS)

    def _follow(self, now: float, answer: Answer) -> None:
        headers = answer.headers
        remaining = int(headers["X-RateLimit-Remaining"])
        reset_after = float(headers.get("X-RateLimit-Reset-After", self.seconds))
        discord_reset = float(headers.get("X-RateLimit-Reset", now + reset_after))
        self.limit = int(headers.get("X-RateLimit-Limit", self.limit))
        if remaining == self.limit - 1:
            self.seconds = max(reset_after, 0.001)
        reset_at = now + reset_after + MARGIN_SECONDS
        if discord_reset > self._discord_reset + 0.05:
            self._discord_reset, self._remaining, self._reset_at = discord_reset, remaining, reset_at
        elif discord_reset > self._discord_reset - 0.05:
            # Answers of one window may overtake each other; the quickest one knows the reset best.
            self._remaining, self._reset_at = min(remaining, self._remaining), min(reset_at, self._reset_at)

    def _count(self, now: float) -> None:
        if now >= self._reset_at:
            self._remaining, self._reset_at = self.limit, now + self.seconds
        self._remaining -= 1


@dataclass(slots=True)
class OldEdits:
    """The budget of one channel for edits of messages older than an hour.

    Nothing announces it, so it is measured: after the first refusal one whole window is used up, whose length and
    edits give the interval that the channel keeps from then on. Edits go one at a time, evenly spread. Once in a while
    a slightly shorter interval is tried, less often each time that is refused.
    """

    interval: float | None = None
    """Seconds from one edit to the next; None while no limit is known."""
    in_flight: bool = False
    _ready_at: float = 0.0
    _sent_at: float = 0.0
    _first_at: float = 0.0
    _count: int = 0
    _measuring: bool = False
    _good_interval: float | None = None
    _trial_at: float = math.inf
    _trial_pause: float = _FIRST_TRIAL_SECONDS

    def ready_at(self) -> float:
        """When the next edit may go; infinity while one is on its way."""
        return math.inf if self.in_flight else self._ready_at

    def sent(self, now: float) -> None:
        """Count an edit that goes out now."""
        self.in_flight, self._sent_at = True, now

    def unused(self) -> None:
        """Take back an edit that was not sent."""
        self.in_flight = False

    def answered(self, now: float, answer: Answer | None) -> None:
        """Learn from an answer; None where none came, or no one saw it."""
        self.in_flight = False
        if answer is not None and answer.limited and answer.code == OLD_MESSAGE_EDITS:
            self._refused(now, max(_SHORTEST_WAIT, answer.retry_after))
        elif answer is None or answer.ok:
            self._accepted(now)

    def _accepted(self, now: float) -> None:
        if self._count == 0:
            self._first_at = self._sent_at
        self._count += 1
        if self.interval is None:
            return
        if now >= self._trial_at:
            self._good_interval, self.interval = self.interval, max(_SHORTEST_INTERVAL, self.interval * _TRIAL_FACTOR)
            self._trial_at = now + self._trial_pause
        self._ready_at = self._sent_at + self.interval

    def _refused(self, now: float, retry_after: float) -> None:
        edits, elapsed = self._count, now - self._first_at if self._count else 0.0
        measured = (elapsed + retry_after) / max(1, edits) * _OLD_FACTOR + _OLD_SECONDS
        self._ready_at, self._count = now + retry_after + MARGIN_SECONDS, 0
        if self.interval is not None:
            self._slow_down(measured if edits <= _FEW_EDITS else 0.0)
            self._trial_at = now + self._trial_pause
        elif self._measuring:
            self.interval = min(max(measured, _SHORTEST_INTERVAL), _LONGEST_INTERVAL)
            self._trial_at = now + self._trial_pause
        else:
            # Edits from before this process started may count in the window that just ended: measure the next one.
            self._measuring = True

    def _slow_down(self, measured: float) -> None:
        """Take back a trial that was refused, or give way where the known interval is too short by now."""
        if self._good_interval is not None:
            self.interval, self._good_interval = self._good_interval, None
            self._trial_pause = min(self._trial_pause * 4, _LAST_TRIAL_SECONDS)
        elif self.interval is not None:
            self.interval = min(max(self.interval * _REFUSED_FACTOR, measured), _LONGEST_INTERVAL)

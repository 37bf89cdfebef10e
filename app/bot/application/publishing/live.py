"""A dashboard in a channel while the bot runs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from app.bot.application.publishing.live_message import LiveMessage
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.placements import Placement, PlacementState


class Wish(StrEnum):
    """What should become of a dashboard in a channel: shown, taken down for good by a user, or gone with its rows."""

    SHOW = "show"
    REMOVE = "remove"
    DISCARD = "discard"


@dataclass(slots=True, eq=False)
class Live:
    """A dashboard in a channel: one message, or several where one cannot hold it. Times are the event loop's.

    `messages` is ordered by position and never empty; the first one's row tells the origin and the page of all.
    """

    messages: list[LiveMessage]
    wish: Wish = Wish.SHOW
    views: tuple[View, ...] = ()
    """What each message should show."""
    dirty: bool = True
    """The views are older than what they show."""
    sent_at: float = -math.inf
    retry_at: float = -math.inf
    """Nothing is tried before."""
    renew_at: float = -math.inf
    order_at: float = -math.inf
    grow_at: float = -math.inf
    patient_until: float | None = None
    """How long the messages stay as they are while a chart is drawn or history is loaded; None: nothing is missing."""
    failures: int = 0
    failing: bool = False
    dropped: bool = False
    task: asyncio.Task[None] | None = None

    @classmethod
    def loaded(cls, *placements: Placement) -> Live:
        """What an earlier run of the bot left behind: the rows of one dashboard in one channel."""
        live = cls([])
        live.add(map(LiveMessage.loaded, placements))
        live.wish = Wish.REMOVE if live.placement.state == PlacementState.REMOVED else Wish.SHOW
        return live

    @property
    def first(self) -> LiveMessage:
        """The message at the first position."""
        return self.messages[0]

    @property
    def placement(self) -> Placement:
        """The first message's placement: what it says of dashboard, channel, origin and page is true of all."""
        return self.messages[0].placement

    @property
    def outcome(self) -> Placement:
        """The placement as a whole: posted if every message is, with the first error that one of them has."""
        states = [message.placement.state for message in self.messages]
        missing = next((state for state in states if state != PlacementState.POSTED), PlacementState.POSTED)
        error = next((message.placement.error for message in self.messages if message.placement.error), None)
        return replace(self.placement, state=missing, error=error)

    @property
    def busy(self) -> bool:
        """Whether a delivery is on its way."""
        return self.task is not None and not self.task.done()

    def add(self, messages: Iterable[LiveMessage]) -> None:
        """Add messages at positions that are free."""
        taken = {message.placement.position for message in self.messages}
        self.messages += [message for message in messages if message.placement.position not in taken]
        self.messages.sort(key=lambda message: message.placement.position)

    def find(self, message_id: int) -> LiveMessage | None:
        """The message with this id."""
        return next((message for message in self.messages if message.placement.message_id == message_id), None)

    def free_position(self) -> int:
        """The first position without a message."""
        taken = {message.placement.position for message in self.messages}
        return next(position for position in range(len(taken) + 1) if position not in taken)

    def placements(self) -> tuple[Placement, ...]:
        """The rows of all messages, each with the page and the variables that they show together."""
        page, variables = self.placement.page, self.placement.variables
        return tuple(
            message.placement if message is self.first else replace(message.placement, page=page, variables=variables)
            for message in self.messages
        )

    def try_again(self) -> None:
        """Forget why the last attempt failed: something changed."""
        self.retry_at = self.grow_at = -math.inf
        for message in self.messages:
            message.refused_until, message.refusal = -math.inf, None
        self.dirty = True


def names_of(live: Live) -> Mapping[str, int]:
    """What a log line says of a dashboard in a channel."""
    return {"dashboard": live.placement.dashboard_id, "channel": live.placement.channel_id}

"""A dashboard in a channel and its messages, while the bot runs. Times are the event loop's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.bot.domain.blocks.block import Problem, View
from app.bot.domain.dashboards.placements import DashboardMessage, Placement, PostState
from app.bot.domain.formatting.markdown import escape_markdown


class Intent(StrEnum):
    """The aim for a dashboard in a channel: shown, taken down for good by a user, or gone with its rows."""

    SHOW = "show"
    REMOVE = "remove"
    DISCARD = "discard"


@dataclass(slots=True, eq=False)
class MessageState:
    """A message that there is, or that is to be posted."""

    row: DashboardMessage
    uncertain: bool = False
    """A message may exist that the row does not know."""
    unverified: bool = False
    """The message was there when it was last seen, but may have been deleted since."""
    gone_id: int | None = None
    refusal: str | None = None
    """Why Discord refused what the message should show; counts until `refused_until`."""
    refused_until: float = -math.inf
    quick_reposts: int = 0
    changes: int = 0
    """How often something began that changes what the message shows: an edit, a post, an answer to a click."""
    sending: bool = False
    answers: int = 0
    """Answers to clicks on their way, each of which changes what the message shows."""
    answering_until: float = -math.inf
    """When an answer whose outcome was not reported is given up."""

    @classmethod
    def loaded(cls, row: DashboardMessage) -> MessageState:
        """Return the state of a message of an earlier run of the bot."""
        known = row.message_id is not None
        return cls(row, uncertain=not known or row.state == PostState.POSTING, unverified=known)

    @property
    def is_gone(self) -> bool:
        """Whether a user deleted the message that the row knows."""
        return self.gone_id is not None and self.gone_id == self.row.message_id

    @property
    def is_wanting(self) -> bool:
        """Whether the message is to be posted, or to be found first."""
        return self.row.message_id is None or self.row.state == PostState.POSTING

    def is_answering(self, now: float) -> bool:
        """Return whether the answer to a click is on its way to the message."""
        return self.answers > 0 and now < self.answering_until

    def is_settled(self, now: float) -> bool:
        """Return whether the row says of failures what is true now; without a message there is nothing to correct."""
        right = self.row.state != PostState.FAILED and self.row.error == self.refusal_at(now)
        return right or self.row.message_id is None

    def refusal_at(self, now: float) -> str | None:
        """Return why the message shows an error in place of its view; None when it may show its view."""
        return self.refusal if now < self.refused_until else None

    def choose_view(self, views: Sequence[View], now: float) -> View | None:
        """Return the view that the message should show; None when there is nothing for it to show any more."""
        if self.row.position >= len(views):
            return None
        refusal = self.refusal_at(now)
        return views[self.row.position] if refusal is None else _refusal_view(refusal)

    def begin_sending(self) -> int:
        """Note that something is sent now, and return its number for `is_latest`."""
        self.sending = True
        self.changes += 1
        return self.changes

    def is_latest(self, change: int) -> bool:
        """Return whether nothing else began since, so that the message shows what was sent."""
        return change == self.changes


@dataclass(slots=True, eq=False)
class DashboardInChannel:
    """A dashboard in a channel: no message yet, one, or several where one cannot hold it."""

    placement: Placement
    """The placement's own row; its messages are those of `messages`."""
    messages: list[MessageState] = field(default_factory=list)
    """Ordered by position."""
    intent: Intent = Intent.SHOW
    views: tuple[View, ...] = ()
    """What each message should show."""
    outdated: bool = True
    """The views are older than what they show."""
    sent_at: float = -math.inf
    retry_at: float = -math.inf
    """Nothing is tried before."""
    renew_at: float = -math.inf
    """No message is renewed for its age before."""
    order_at: float = -math.inf
    """The order of the messages is not mended before."""
    add_at: float = -math.inf
    """No row of a message is added before."""
    patient_until: float | None = None
    """How long the messages stay as they are while a chart is drawn or history is loaded; None: nothing is missing."""
    failures: int = 0
    failing: bool = False
    dropped: bool = False
    task: asyncio.Task[None] | None = None

    @classmethod
    def loaded(cls, placement: Placement) -> DashboardInChannel:
        """Return what an earlier run of the bot left behind."""
        shown = cls(replace(placement, messages=()))
        shown.add(map(MessageState.loaded, placement.messages))
        shown.intent = shown.intent_to_stay
        return shown

    @property
    def intent_to_stay(self) -> Intent:
        """The aim as long as the definition wants the dashboard here: what a user removed stays removed."""
        return Intent.REMOVE if self.placement.removed else Intent.SHOW

    @property
    def dashboard_id(self) -> int:
        """The id of the dashboard's row."""
        return self.placement.dashboard_id

    @property
    def channel_id(self) -> int:
        """Discord's id of the channel."""
        return self.placement.channel_id

    @property
    def names(self) -> Mapping[str, int]:
        """The fields of a log line about it."""
        return {"dashboard": self.dashboard_id, "channel": self.channel_id}

    @property
    def is_busy(self) -> bool:
        """Whether steps are taken for it now."""
        return self.task is not None and not self.task.done()

    def snapshot(self) -> Placement:
        """Return the placement with its messages, as they are now."""
        return replace(self.placement, messages=tuple(message.row for message in self.messages))

    def problems(self, views: Sequence[View], now: float) -> list[Mapping[str, str]]:
        """Return the problems that the messages show with these views, as they are stored for the admin."""
        shown = (message.choose_view(views, now) for message in self.messages)
        return [
            {"title": problem.title, "detail": problem.detail}
            for view in shown
            if view is not None
            for problem in view.problems
        ]

    def add(self, messages: Iterable[MessageState]) -> None:
        """Add messages at positions that are free."""
        taken = {message.row.position for message in self.messages}
        self.messages += [message for message in messages if message.row.position not in taken]
        self.messages.sort(key=lambda message: message.row.position)

    def find(self, message_id: int) -> MessageState | None:
        """Return the message with this id."""
        return next((message for message in self.messages if message.row.message_id == message_id), None)

    def free_position(self) -> int:
        """Return the first position without a message."""
        taken = {message.row.position for message in self.messages}
        return next(position for position in range(len(taken) + 1) if position not in taken)

    def try_again(self) -> None:
        """Forget why the last attempt failed: something changed."""
        self.retry_at = self.add_at = -math.inf
        for message in self.messages:
            message.refusal = None
        self.outdated = True


def _refusal_view(reason: str) -> View:
    """Return what is shown in the place of a view that Discord does not take."""
    problem = Problem("This dashboard cannot be shown", escape_markdown(reason))
    return View((problem,), (problem,))

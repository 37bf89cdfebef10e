"""The plan for a dashboard's messages in a channel: what to do next, from what there is and what they should show.

Pure: nothing is built, sent or stored here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent, MessageState
from app.bot.domain.blocks.block import View


class StepKind(StrEnum):
    """What can be done. Each step leaves rows and messages such that a crash after it loses and doubles nothing."""

    # For one message
    FORGET = "forget"
    """A user deleted the message: its row wants another."""
    POST = "post"
    """Find the message, else send it."""
    RENEW = "renew"
    """Send the message again and delete the old one, so that it is the newest."""
    EDIT = "edit"
    VERIFY = "verify"
    """Look whether the message is still there."""
    DELETE = "delete"
    """Delete the message, then its row."""

    # For the dashboard in the channel
    ADD = "add"
    """Make the row of a further message."""
    SETTLE = "settle"
    """All is as wanted: have the rows say so."""
    MARK_REMOVED = "mark removed"
    """Store that a user took the dashboard down."""
    DISCARD = "discard"
    """Delete the placement's row."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next step, and the message that it is about, if it is about one."""

    kind: StepKind
    message: MessageState | None = None


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """Chooses steps until nothing is left to do.

    A message is never posted before those in front of it are there, and each is newer than the one in front of it: as
    Discord shows them by age, a dashboard that is spread over several messages so keeps its order.
    """

    shown: DashboardInChannel
    views: Sequence[View]
    """What each message should show; empty while that is not known."""
    now: float
    """The event loop's time."""
    too_old: bool = False
    """The first message is older than the definition wants."""

    def next_step(self) -> Step | None:
        """Return what to do next; None when all is as wanted, or nothing may be tried now."""
        if self.shown.dropped:
            return None
        if self.shown.intent is not Intent.SHOW:
            return self._take_down()
        gone = next((message for message in self.shown.messages if message.is_gone), None)
        if gone is not None:
            return Step(StepKind.FORGET, gone)
        if self.now < self.shown.retry_at:
            return None
        return self._complete() or self._update() or self._settle()

    def _take_down(self) -> Step | None:
        """Leave no message: the last one goes first. The placement's row outlives them, so that a crash finds them."""
        shown = self.shown
        if shown.intent is Intent.REMOVE and not shown.placement.removed:
            return Step(StepKind.MARK_REMOVED)
        if shown.messages:
            return Step(StepKind.DELETE, shown.messages[-1])
        return Step(StepKind.DISCARD) if shown.intent is Intent.DISCARD else None

    def _complete(self) -> Step | None:
        """Have as many messages as there are views, in their order."""
        shown, count = self.shown, len(self.views)
        if count and shown.messages and shown.messages[-1].row.position >= count:
            return Step(StepKind.DELETE, shown.messages[-1])
        newest = 0
        for message in shown.messages if count else ():
            if message.is_wanting:
                return Step(StepKind.POST, message)
            message_id = message.row.message_id or 0
            if message_id < newest and shown.order_at <= self.now:
                return Step(StepKind.RENEW, message)
            newest = message_id
        wanted = count if shown.messages else 1  # the first row is made before anything is built: it holds the errors
        return Step(StepKind.ADD) if shown.free_position() < wanted and shown.add_at <= self.now else None

    def _update(self) -> Step | None:
        """Have messages that are all there show what they should."""
        if not self.views:
            return None
        messages = self.shown.messages
        for message in messages:
            view = message.choose_view(self.views, self.now) if not message.is_answering(self.now) else None
            if view is not None and view.fingerprint != message.row.content_hash:
                return Step(StepKind.EDIT, message)
        for message in messages:
            if message.unverified:
                return Step(StepKind.VERIFY, message)
        # The others follow the first, for they must not be older than it.
        renewable = self.too_old and self.shown.renew_at <= self.now
        return Step(StepKind.RENEW, messages[0]) if renewable and messages else None

    def _settle(self) -> Step | None:
        shown = self.shown
        settled = all(message.is_settled(self.now) for message in shown.messages)
        told = not self.views or shown.placement.problems == shown.problems(self.views, self.now)
        return None if settled and told else Step(StepKind.SETTLE)

"""The steps that bring messages to what their rows want. A crash may interrupt each of them anywhere.

A row says `posting` before its message is sent. From then until the answer is stored it is not known whether the
message exists, so the next step always looks for it in the channel before it sends another.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent, MessageState
from app.bot.application.publishing.messenger import ChannelGoneError, InvalidMessageError, Messenger, NotPermittedError
from app.bot.application.publishing.plan import Step, StepKind
from app.bot.application.publishing.store import MessageStore
from app.bot.application.publishing.view_cache import ViewCache
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.placements import DashboardMessage, PostState

log = structlog.get_logger(__name__)

_QUICK_REPOSTS = 3
_QUICK_SECONDS = 60.0
"""A message deleted this soon after it was posted, again and again, is deleted on purpose: give way."""
_RENEW_PAUSE_SECONDS = 60.0
_ADD_PAUSE_SECONDS = 30.0
_ANSWER_SECONDS = 30.0
"""An answer that took longer than this is taken for lost, and the message edited."""


class MessageSteps:
    """Takes steps: the only part that changes messages in Discord, replies to clicks aside."""

    def __init__(
        self, messenger: Messenger, store: MessageStore, views: ViewCache, clock: Callable[[], datetime]
    ) -> None:
        self._messenger = messenger
        self._store = store
        self._views = views
        self._clock = clock
        self._for_message = {
            StepKind.FORGET: self._forget,
            StepKind.POST: self._post,
            StepKind.RENEW: self._renew,
            StepKind.EDIT: self._edit,
            StepKind.VERIFY: self._verify,
            StepKind.DELETE: self._delete,
        }
        self._for_dashboard = {
            StepKind.ADD: self._add,
            StepKind.SETTLE: self._settle,
            StepKind.MARK_REMOVED: self._mark_removed,
            StepKind.DISCARD: self._discard,
        }

    async def take(self, shown: DashboardInChannel, step: Step) -> None:
        """Take a step. Raises MessengerError."""
        if step.message is not None:
            await self._for_message[step.kind](shown, step.message)
        else:
            await self._for_dashboard[step.kind](shown)

    # Posting

    async def _add(self, shown: DashboardInChannel) -> None:
        """Make the row of a further message; it is committed before the message is posted."""
        row = await self._store.add_message(shown.placement, shown.free_position())
        if row is None:
            if shown.add_at == -math.inf:
                log.warning("a dashboard gets no further message while the database is away", **shown.names)
            shown.add_at = _now() + _ADD_PAUSE_SECONDS
            return
        shown.add_at = -math.inf
        message = MessageState.loaded(row)
        # Rows of earlier runs were loaded at the start: no message can exist for one made since.
        message.uncertain = message.uncertain and row.message_id is not None
        shown.add([message])

    async def _post(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Find the message that may have been sent already, else send it."""
        row = message.row
        if message.uncertain:
            found = await self._messenger.find(shown.channel_id, row.marker, after=row.message_id)
            if found is not None:
                await self._adopt(shown, message, found)
                return
            message.uncertain = False
        if row.message_id is not None:  # a renewal that was interrupted before it posted
            self._keep(message, replace(row, state=PostState.POSTED))
            return
        if row.state != PostState.POSTING:
            self._keep(message, replace(row, state=PostState.POSTING))
            await self._store.commit(message.row)
        await self._send(shown, message, old=None)

    async def _adopt(self, shown: DashboardInChannel, message: MessageState, found: int) -> None:
        """Take the message that was sent before a crash; what it shows is not known, so it gets the newest view."""
        if message.row.message_id is not None:
            await self._hand_over(shown, message.row.message_id, found)
        log.info("adopted a message sent before a restart", **shown.names, message=found)
        await self._posted(shown, message, found, None)

    async def _send(self, shown: DashboardInChannel, message: MessageState, old: int | None) -> None:
        """Post the newest view; `old` is the message that it replaces."""
        view = self._newest_view(shown, message)
        if view is None:
            return
        row, change = message.row, message.begin_sending()
        message.uncertain = True
        try:
            message_id = await self._messenger.post(shown.channel_id, view, row.marker, row.nonce)
        except (NotPermittedError, ChannelGoneError, InvalidMessageError):
            message.uncertain = False
            raise
        finally:
            message.sending = False
        if old is not None:
            await self._hand_over(shown, old, message_id)
        await self._posted(shown, message, message_id, view if message.is_latest(change) else None)

    async def _posted(
        self, shown: DashboardInChannel, message: MessageState, message_id: int, view: View | None
    ) -> None:
        """Remember a message, and the view that it shows where that is known."""
        now, before = self._clock(), message.row.posted_at
        posted = replace(
            message.row,
            state=PostState.POSTED,
            message_id=message_id,
            content_hash=view.fingerprint if view else None,
            error=message.refusal_at(_now()),
            # The nonce of the next post is made of this second, so it must differ from that of the last one.
            posted_at=now if before is None else max(now, before + timedelta(seconds=1)),
            edited_at=None,
        )
        shown.sent_at, message.unverified = _now(), False
        self._keep(message, posted)
        message.uncertain = False
        await self._store.commit(message.row)

    async def _renew(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Post again and delete the old message: Discord lets a young message be edited far more often.

        So a message also gets behind one that is newer than itself, without a moment in which it is not there.
        """
        before = message.row
        shown.renew_at = _now() + _RENEW_PAUSE_SECONDS
        self._keep(message, replace(before, state=PostState.POSTING))
        if await self._store.commit(message.row):
            await self._send(shown, message, old=before.message_id)
        else:  # without the row a crash would leave two messages
            shown.order_at = shown.renew_at
            self._keep(message, before)

    async def _hand_over(self, shown: DashboardInChannel, old: int, new: int) -> None:
        """Delete the old message; the new one is pinned if that was."""
        try:
            facts = await self._messenger.look(shown.channel_id, old)
            if facts is not None and facts.pinned:
                await self._messenger.pin(shown.channel_id, new)
        except (NotPermittedError, InvalidMessageError) as error:
            log.warning("the renewed message may not be pinned as the old one was", **shown.names, reason=str(error))
        await self._messenger.delete(shown.channel_id, old)

    # Keeping

    async def _edit(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Make the message show the newest view."""
        sent: View | None = None
        change = 0

        def draw() -> View | None:
            nonlocal sent, change
            view = self._newest_view(shown, message)
            unwanted = shown.intent is not Intent.SHOW or message.is_gone or message.is_answering(_now())
            same = view is None or view.fingerprint == message.row.content_hash
            sent = None if unwanted or same else view
            if sent is not None:
                change = message.begin_sending()
            return sent

        if message.row.message_id is None:
            return
        try:
            await self._messenger.edit(shown.channel_id, message.row.message_id, draw, message.row.marker)
        finally:
            message.sending = False
        if sent is not None:
            shown.sent_at, message.unverified = _now(), False
            # A page chosen meanwhile was shown by the answer to the click; which of both came last is not known.
            content_hash = sent.fingerprint if message.is_latest(change) else None
            self._keep(message, replace(message.row, content_hash=content_hash, edited_at=self._clock()))

    async def _verify(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Look whether the message is still there."""
        message_id = message.row.message_id
        if message_id is None:
            return
        try:
            facts = await self._messenger.look(shown.channel_id, message_id)
        except NotPermittedError:
            if shown.failing:
                raise
            # A message can be edited without being allowed to look at it; the next edit shows whether it is there.
        else:
            if facts is None:
                message.gone_id = message_id
        message.unverified = False

    async def _forget(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Have the row want a new message after a user deleted the one it knew."""
        posted_at = message.row.posted_at
        if posted_at is None or (self._clock() - posted_at).total_seconds() > _QUICK_SECONDS:
            message.quick_reposts = 0
        message.quick_reposts += 1
        if message.quick_reposts > _QUICK_REPOSTS:
            shown.retry_at = _now() + _QUICK_SECONDS
        message.uncertain, message.unverified = True, False
        self._keep(message, replace(message.row, state=PostState.POSTING, message_id=None, content_hash=None))

    async def _settle(self, shown: DashboardInChannel) -> None:
        """Clear what the rows say of failures, and store the problems that are shown."""
        now = _now()
        for message in shown.messages:
            if not message.is_settled(now):
                self._keep(message, replace(message.row, state=PostState.POSTED, error=message.refusal_at(now)))
        problems = shown.problems(shown.views, now) if shown.views else shown.placement.problems
        if problems != shown.placement.problems:
            shown.placement = replace(shown.placement, problems=problems)
            self._store.later(shown.placement)

    # Taking down

    async def _mark_removed(self, shown: DashboardInChannel) -> None:
        """Store that all messages are to go, so that a crash before the last one leaves none behind."""
        shown.placement = replace(shown.placement, removed=True)
        await self._store.commit(shown.placement)

    async def _delete(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Delete the message, and one that the row does not know, then the row."""
        await self._locate(shown, message)
        if message.row.message_id is not None:
            await self._messenger.delete(shown.channel_id, message.row.message_id)
        await self._store.delete(message.row)
        shown.messages.remove(message)

    async def _locate(self, shown: DashboardInChannel, message: MessageState) -> None:
        """Settle whether there is a message that the row does not know, so that it can be taken down."""
        row = message.row
        if not message.uncertain:
            return
        try:
            found = await self._messenger.find(shown.channel_id, row.marker, after=row.message_id)
        except ChannelGoneError:
            found = None
        if found is not None and row.message_id is not None:
            await self._messenger.delete(shown.channel_id, found)
        elif found is not None:
            message.row = replace(row, message_id=found)
        message.uncertain = False

    async def _discard(self, shown: DashboardInChannel) -> None:
        """Delete the placement's row, now that no message is left."""
        await self._store.delete(shown.placement)
        shown.dropped = True

    def _newest_view(self, shown: DashboardInChannel, message: MessageState) -> View | None:
        return message.choose_view(self._views.views(shown), _now())

    def _keep(self, message: MessageState, row: DashboardMessage) -> None:
        """Take a new state of a row, to be written soon."""
        message.row = row
        self._store.later(row)


class InPlaceReply:
    """The view that a click must be answered with in place of what the message shows.

    Until it is known whether Discord took the answer the message is not edited; if it did not, an edit makes up for it.
    `is_known` tells whether Discord's message of this id is still the one that was clicked on, for it may have been
    replaced, or the publisher started again.
    """

    def __init__(
        self,
        message: MessageState,
        view: View,
        store: MessageStore,
        go_on: Callable[[], object],
        is_known: Callable[[int], bool],
    ) -> None:
        now = _now()
        self.view = view
        self.marker = message.row.marker
        self._message = message
        self._message_id = message.row.message_id or 0
        self._store = store
        self._go_on = go_on
        self._is_known = is_known
        self._alone = not message.sending and not message.is_answering(now)
        message.changes += 1
        self._change = message.changes
        message.answers += 1
        message.answering_until = now + _ANSWER_SECONDS

    def settle(self, delivered: bool) -> None:  # a callback: whether Discord took the answer
        """Note whether Discord took the answer. Call it once."""
        message = self._message
        message.answers -= 1
        if self._is_known(self._message_id):
            # Where something else was under way too, it is not known which came last.
            known = delivered and self._alone and message.is_latest(self._change)
            message.row = replace(message.row, content_hash=self.view.fingerprint if known else None)
            self._store.later(message.row)
        self._go_on()


def _now() -> float:
    return asyncio.get_running_loop().time()

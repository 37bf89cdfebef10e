"""Bringing one message to what its row wants, in steps that a crash may interrupt anywhere.

The row says `posting` before a message is sent. From then until the answer is stored nobody knows whether the message
exists, so the next step always looks for it in the channel before it sends another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.bot.application.publishing.live import Live, Wish, names_of
from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.publishing.messenger import ChannelGoneError, InvalidMessageError, Messenger, NotPermittedError
from app.bot.application.publishing.painting import Painter, plain_problems
from app.bot.application.publishing.placement_memory import PlacementMemory
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.placements import Placement, PlacementState

log = structlog.get_logger(__name__)

_QUICK_REPOSTS = 3
_QUICK_SECONDS = 60.0
"""A message deleted this soon after it was posted, again and again, is deleted on purpose: give way."""
_RENEW_PAUSE_SECONDS = 60.0


class Sending:
    """The steps. The one who touches a message."""

    def __init__(
        self, messenger: Messenger, memory: PlacementMemory, painter: Painter, clock: Callable[[], datetime]
    ) -> None:
        self._messenger = messenger
        self._memory = memory
        self._painter = painter
        self._clock = clock

    async def post(self, live: Live, message: LiveMessage) -> None:
        """Find the message that may have been sent already, else send it."""
        placement = message.placement
        if message.uncertain:
            found = await self._messenger.find(placement.channel_id, placement.marker, after=placement.message_id)
            if found is not None:
                await self._adopt(live, message, found)
                return
            message.uncertain = False
        if placement.message_id is not None:  # a renewal that was interrupted before it posted
            self.keep(message, replace(placement, state=PlacementState.POSTED))
            return
        if placement.state != PlacementState.POSTING:
            self.keep(message, replace(placement, state=PlacementState.POSTING))
            await self._memory.commit(message.placement)
        await self._send(live, message, old=None)

    async def _adopt(self, live: Live, message: LiveMessage, found: int) -> None:
        """Take the message that was sent before a crash; what it shows is not known, so it gets the newest view."""
        if message.placement.message_id is not None:
            await self._hand_over(live, message, message.placement.message_id, found)
        log.info("adopted a message sent before a restart", **names_of(live), message=found)
        await self._posted(live, message, found, None)

    async def _send(self, live: Live, message: LiveMessage, old: int | None) -> None:
        """Post the newest view; `old` is the message that it replaces."""
        view = self._painter.view_of(live, message)
        if view is None:
            return
        placement, change = message.placement, message.begin_sending()
        message.uncertain = True
        try:
            message_id = await self._messenger.post(placement.channel_id, view, placement.marker, placement.nonce)
        except (NotPermittedError, ChannelGoneError, InvalidMessageError):
            message.uncertain = False
            raise
        finally:
            message.sending = False
        if old is not None:
            await self._hand_over(live, message, old, message_id)
        await self._posted(live, message, message_id, view if message.is_latest(change) else None)

    async def _posted(self, live: Live, message: LiveMessage, message_id: int, view: View | None) -> None:
        """Remember a message, and the view that it shows where that is known."""
        before = message.placement.posted_at
        now = self._clock()
        # The nonce of the next post is made of this second, so it must differ from that of the last one.
        posted_at = now if before is None else max(now, before + timedelta(seconds=1))
        live.sent_at, message.unverified = _now(), False
        self.keep(
            message,
            replace(
                message.placement,
                state=PlacementState.POSTED,
                message_id=message_id,
                content_hash=view.fingerprint if view else None,
                problems=plain_problems(view) if view else (),
                error=message.refusal,
                posted_at=posted_at,
                edited_at=None,
            ),
        )
        message.uncertain = False
        await self._memory.commit(message.placement)

    async def edit(self, live: Live, message: LiveMessage) -> None:
        """Make the message show the newest view."""
        sent: View | None = None
        change = 0

        def draw() -> View | None:
            nonlocal sent, change
            view = self._painter.view_of(live, message)
            unwanted = live.wish is not Wish.SHOW or message.is_gone or message.is_answering(_now())
            same = view is None or view.fingerprint == message.placement.content_hash
            sent = None if unwanted or same else view
            if sent is not None:
                change = message.begin_sending()
            return sent

        placement = message.placement
        if placement.message_id is None:
            return
        try:
            await self._messenger.edit(placement.channel_id, placement.message_id, draw, placement.marker)
        finally:
            message.sending = False
        if sent is not None:
            live.sent_at, message.unverified = _now(), False
            # A page chosen meanwhile was shown by the answer to the click; which of both came last is not known.
            shown = sent.fingerprint if message.is_latest(change) else None
            placement = replace(message.placement, content_hash=shown, problems=plain_problems(sent))
            self.keep(message, replace(placement, edited_at=self._clock()))

    async def verify(self, live: Live, message: LiveMessage) -> None:
        """Look whether the message is still there."""
        placement = message.placement
        if placement.message_id is None:
            return
        try:
            facts = await self._messenger.look(placement.channel_id, placement.message_id)
        except NotPermittedError:
            if live.failing:
                raise
            # A message can be edited without being allowed to look at it; the next edit tells whether it is there.
        else:
            if facts is None:
                message.gone_id = placement.message_id
        message.unverified = False

    async def renew(self, live: Live, message: LiveMessage) -> None:
        """Post anew and delete the old message: Discord lets a young message be edited far more often.

        So a message also gets behind one that is newer than itself, without a moment in which it is not there.
        """
        before = message.placement
        live.renew_at = _now() + _RENEW_PAUSE_SECONDS
        self.keep(message, replace(before, state=PlacementState.POSTING))
        if await self._memory.commit(message.placement):
            await self._send(live, message, old=before.message_id)
        else:  # without the row a crash would leave two messages
            live.order_at = live.renew_at
            self.keep(message, before)

    async def _hand_over(self, live: Live, message: LiveMessage, old: int, new: int) -> None:
        """Delete the old message; the new one is pinned if that was."""
        channel_id = message.placement.channel_id
        try:
            facts = await self._messenger.look(channel_id, old)
            if facts is not None and facts.pinned:
                await self._messenger.pin(channel_id, new)
        except (NotPermittedError, InvalidMessageError) as error:
            log.warning("the renewed message may not be pinned as the old one was", **names_of(live), reason=str(error))
        await self._messenger.delete(channel_id, old)

    async def forget(self, live: Live, message: LiveMessage) -> None:
        """The message was deleted by somebody: its row wants a new one."""
        placement = message.placement
        posted_at = placement.posted_at
        if posted_at is None or (self._clock() - posted_at).total_seconds() > _QUICK_SECONDS:
            message.quick_reposts = 0
        message.quick_reposts += 1
        if message.quick_reposts > _QUICK_REPOSTS:
            live.retry_at = _now() + _QUICK_SECONDS
        message.uncertain, message.unverified = True, False
        self.keep(message, replace(placement, state=PlacementState.POSTING, message_id=None, content_hash=None))

    async def locate(self, message: LiveMessage) -> None:
        """Settle whether there is a message that the row does not know, so that it can be taken down."""
        placement = message.placement
        if not message.uncertain:
            return
        try:
            found = await self._messenger.find(placement.channel_id, placement.marker, after=placement.message_id)
        except ChannelGoneError:
            found = None
        if found is not None and placement.message_id is not None:
            await self._messenger.delete(placement.channel_id, found)
        elif found is not None:
            message.placement = replace(message.placement, message_id=found)
        message.uncertain = False

    async def delete(self, live: Live, message: LiveMessage) -> None:
        """Delete the message, and one that the row does not know. The row says what is left to do."""
        await self.locate(message)
        placement = message.placement
        if live.wish is Wish.REMOVE and message is live.first:
            placement = message.placement = replace(placement, state=PlacementState.REMOVED)
        await self._memory.commit(placement)
        if placement.message_id is not None:
            await self._messenger.delete(placement.channel_id, placement.message_id)

    def keep(self, message: LiveMessage, placement: Placement) -> None:
        """Take a new state of a row, to be written soon."""
        message.placement = placement
        self._memory.later(placement)


def _now() -> float:
    return asyncio.get_running_loop().time()

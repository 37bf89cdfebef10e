"""Bringing one message to what its placement wants, in steps that a crash may interrupt anywhere.

The row says `posting` before a message is sent. From then until the answer is stored nobody knows whether the message
exists, so the next step always looks for it in the channel before it sends another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from app.bot.application.live import Live, Wish, names_of
from app.bot.application.messenger import (
    ChannelGoneError,
    InvalidMessageError,
    MessageGoneError,
    Messenger,
    MessengerError,
    NotPermittedError,
)
from app.bot.application.painting import Painter, plain_problems
from app.bot.application.placement_memory import PlacementMemory
from app.bot.application.setbacks import Setbacks
from app.bot.domain.blocks import View
from app.bot.domain.placements import Placement, PlacementState, message_age

log = structlog.get_logger(__name__)

_QUICK_REPOSTS = 3
_QUICK_SECONDS = 60.0
"""A message deleted this soon after it was posted, again and again, is deleted on purpose: give way."""
_RENEW_PAUSE_SECONDS = 60.0


Step = Callable[[Live], Awaitable[None]]


class Delivery:
    """Does for a placement whatever there is to do. The one who touches its message."""

    def __init__(
        self,
        messenger: Messenger,
        memory: PlacementMemory,
        painter: Painter,
        setbacks: Setbacks,
        *,
        dropped: Callable[[Live], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._messenger = messenger
        self._memory = memory
        self._painter = painter
        self._setbacks = setbacks
        self._dropped = dropped
        self._clock = clock

    def is_pending(self, live: Live) -> bool:
        """Whether there is anything to do for a placement."""
        try:
            return self._next(live) is not None or self._setbacks.is_unsettled(live)
        except Exception:  # noqa: BLE001  # `run` meets the same fault and says so
            return True

    async def run(self, live: Live) -> None:
        """Take steps until nothing is left to do or one fails. Raises nothing but CancelledError."""
        while True:
            try:
                step = self._next(live)
                if step is None:
                    self._setbacks.settled(live)
                    return
                await step(live)
            except MessageGoneError:
                live.gone_id = live.placement.message_id
            except InvalidMessageError as error:
                if live.refusal is not None:
                    self._setbacks.failed(live, error)
                    return
                self._setbacks.refused(live, error)
            except MessengerError as error:
                self._setbacks.failed(live, error)
                return
            except Exception as error:  # noqa: BLE001  # the guarded edge: one dashboard must not stop the others
                self._setbacks.failed(live, error)
                return

    def _next(self, live: Live) -> Step | None:  # noqa: PLR0911  # one line for each step, in their order
        placement = live.placement
        if live.wish is not Wish.SHOW:
            return None if self._is_down(live) else self._take_down
        if live.gone_id is not None and live.gone_id == placement.message_id:
            return self._forget_message
        view = self._painter.draw(live) if live.retry_at <= _now() else None
        if view is None:
            return None
        if placement.message_id is None or placement.state == PlacementState.POSTING:
            return self._post
        if view.fingerprint != placement.content_hash:
            return self._edit
        if live.unverified:
            return self._verify
        return self._renew if self._is_renewal_due(live) else None

    async def _post(self, live: Live) -> None:
        placement = live.placement
        if live.uncertain:
            found = await self._messenger.find(placement.channel_id, placement.marker, after=placement.message_id)
            if found is not None:
                await self._adopt(live, found)
                return
            live.uncertain = False
        if placement.message_id is not None:  # a renewal that was interrupted before it posted
            self._keep(live, replace(placement, state=PlacementState.POSTED))
            return
        if placement.state != PlacementState.POSTING:
            self._keep(live, replace(placement, state=PlacementState.POSTING))
            await self._memory.commit(live.placement)
        await self._send(live, old=None)

    async def _adopt(self, live: Live, found: int) -> None:
        """Take the message that was sent before a crash; what it shows is not known, so it gets the newest view."""
        if live.placement.message_id is not None:
            await self._hand_over(live, live.placement.message_id, found)
        log.info("adopted a message sent before a restart", **names_of(live), message=found)
        await self._posted(live, found, None)

    async def _send(self, live: Live, old: int | None) -> None:
        """Post the newest view; `old` is the message that it replaces."""
        view = self._painter.draw(live)
        if view is None:
            return
        placement, pages = live.placement, live.page_changes
        live.uncertain = True
        try:
            message_id = await self._messenger.post(placement.channel_id, view, placement.marker, placement.nonce)
        except (NotPermittedError, ChannelGoneError, InvalidMessageError):
            live.uncertain = False
            raise
        if old is not None:
            await self._hand_over(live, old, message_id)
        await self._posted(live, message_id, view if pages == live.page_changes else None)

    async def _posted(self, live: Live, message_id: int, view: View | None) -> None:
        """Remember a message, and the view that it shows where that is known."""
        before = live.placement.posted_at
        now = self._clock()
        # The nonce of the next post is made of this second, so it must differ from that of the last one.
        posted_at = now if before is None else max(now, before + timedelta(seconds=1))
        live.sent_at, live.unverified = _now(), False
        self._keep(
            live,
            replace(
                live.placement,
                state=PlacementState.POSTED,
                message_id=message_id,
                content_hash=view.fingerprint if view else None,
                problems=plain_problems(view) if view else (),
                error=live.refusal,
                posted_at=posted_at,
                edited_at=None,
            ),
        )
        live.uncertain = False
        await self._memory.commit(live.placement)

    async def _edit(self, live: Live) -> None:
        sent: View | None = None
        pages = 0

        def draw() -> View | None:
            nonlocal sent, pages
            view, pages = self._painter.draw(live), live.page_changes
            unwanted = live.wish is not Wish.SHOW or live.gone_id == live.placement.message_id
            same = view is None or view.fingerprint == live.placement.content_hash
            sent = None if unwanted or same else view
            return sent

        placement = live.placement
        if placement.message_id is None:
            return
        await self._messenger.edit(placement.channel_id, placement.message_id, draw, placement.marker)
        if sent is not None:
            live.sent_at, live.unverified = _now(), False
            # A page chosen meanwhile was shown by the answer to the click; which of both came last is not known.
            shown = sent.fingerprint if pages == live.page_changes else None
            self._keep(
                live,
                replace(live.placement, content_hash=shown, problems=plain_problems(sent), edited_at=self._clock()),
            )

    async def _verify(self, live: Live) -> None:
        placement = live.placement
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
                live.gone_id = placement.message_id
        live.unverified = False

    async def _renew(self, live: Live) -> None:
        """Post anew and delete the old message: Discord lets a young message be edited far more often."""
        before = live.placement
        live.renew_at = _now() + _RENEW_PAUSE_SECONDS
        self._keep(live, replace(before, state=PlacementState.POSTING))
        if await self._memory.commit(live.placement):
            await self._send(live, old=before.message_id)
        else:  # without the row a crash would leave two messages
            self._keep(live, before)

    async def _hand_over(self, live: Live, old: int, new: int) -> None:
        """Delete the old message; the new one is pinned if that was."""
        channel_id = live.placement.channel_id
        try:
            facts = await self._messenger.look(channel_id, old)
            if facts is not None and facts.pinned:
                await self._messenger.pin(channel_id, new)
        except (NotPermittedError, InvalidMessageError) as error:
            log.warning("the renewed message may not be pinned as the old one was", **names_of(live), reason=str(error))
        await self._messenger.delete(channel_id, old)

    async def _forget_message(self, live: Live) -> None:
        """The message was deleted by somebody: the placement wants a new one."""
        placement = live.placement
        posted_at = placement.posted_at
        if posted_at is None or (self._clock() - posted_at).total_seconds() > _QUICK_SECONDS:
            live.quick_reposts = 0
        live.quick_reposts += 1
        if live.quick_reposts > _QUICK_REPOSTS:
            live.retry_at = _now() + _QUICK_SECONDS
        live.uncertain, live.unverified = True, False
        self._keep(live, replace(placement, state=PlacementState.POSTING, message_id=None, content_hash=None))

    async def _take_down(self, live: Live) -> None:
        try:
            await self._delete_messages(live)
        except ChannelGoneError:
            live.uncertain = False
        wish = live.wish
        if wish is Wish.DISCARD:
            await self._memory.delete(live.placement.id)
            live.dropped = True
            self._dropped(live)
            return
        state = PlacementState.REMOVED if wish is Wish.REMOVE else PlacementState.POSTING
        self._keep(live, replace(live.placement, state=state, message_id=None, content_hash=None, error=None))
        await self._memory.commit(live.placement)

    async def _delete_messages(self, live: Live) -> None:
        """Delete the message, and one that the placement does not know. The row says what is left to do."""
        placement = live.placement
        if live.uncertain:
            found = await self._messenger.find(placement.channel_id, placement.marker, after=placement.message_id)
            if found is not None and placement.message_id is not None:
                await self._messenger.delete(placement.channel_id, found)
            elif found is not None:
                placement = replace(placement, message_id=found)
            live.uncertain = False
        if live.wish is Wish.REMOVE:
            placement = replace(placement, state=PlacementState.REMOVED)
        live.placement = placement
        await self._memory.commit(placement)
        if placement.message_id is not None:
            await self._messenger.delete(placement.channel_id, placement.message_id)

    def _is_down(self, live: Live) -> bool:
        placement = live.placement
        removed = placement.state == PlacementState.REMOVED and placement.message_id is None
        return live.dropped or (live.wish is Wish.REMOVE and removed and not live.uncertain)

    def _is_renewal_due(self, live: Live) -> bool:
        renew_after, message_id = self._painter.renew_after(live), live.placement.message_id
        if renew_after is None or message_id is None or _now() < live.renew_at:
            return False
        return message_age(message_id, self._clock()) >= renew_after

    def _keep(self, live: Live, placement: Placement) -> None:
        live.placement = placement
        self._memory.later(placement)


def _now() -> float:
    return asyncio.get_running_loop().time()

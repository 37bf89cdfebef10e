"""Bringing a dashboard's messages in one channel to what is wanted, one step after the other and in their order."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from app.bot.application.publishing.live import Live, Wish, names_of
from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.publishing.messenger import InvalidMessageError, MessageGoneError, MessengerError
from app.bot.application.publishing.painting import Painter, plain_problems
from app.bot.application.publishing.placement_memory import PlacementMemory
from app.bot.application.publishing.sending import Sending
from app.bot.application.publishing.setbacks import Setbacks
from app.bot.domain.dashboards.placements import PlacementState

log = structlog.get_logger(__name__)

_GROW_PAUSE_SECONDS = 30.0

Step = tuple[Callable[[Live, LiveMessage], Awaitable[None]], LiveMessage]


class Delivery:
    """Chooses the next step until nothing is left to do.

    A message is never posted before those in front of it are there, and each is newer than the one in front of it: as
    Discord shows them by age, a dashboard that is spread over several messages so keeps its order.
    """

    def __init__(
        self,
        sending: Sending,
        memory: PlacementMemory,
        painter: Painter,
        setbacks: Setbacks,
        *,
        dropped: Callable[[Live], None],
        age: Callable[[int], float],
    ) -> None:
        self._sending = sending
        self._memory = memory
        self._painter = painter
        self._setbacks = setbacks
        self._dropped = dropped
        self._age = age

    def is_pending(self, live: Live) -> bool:
        """Whether there is anything to do."""
        try:
            return self._next(live) is not None or self._setbacks.is_unsettled(live)
        except Exception:  # noqa: BLE001  # `run` meets the same fault and says so
            return True

    async def run(self, live: Live) -> None:
        """Take steps until nothing is left to do or one fails. Raises nothing but CancelledError."""
        message = live.first
        while True:
            try:
                chosen = self._next(live)
                if chosen is None:
                    self._tell_problems(live)
                    self._setbacks.settled(live)
                    return
                step, message = chosen
                await step(live, message)
            except MessageGoneError:
                message.gone_id = message.placement.message_id
            except InvalidMessageError as error:
                if message.refusal is not None:
                    self._setbacks.failed(live, message, error)
                    return
                self._setbacks.refused(live, message, error)
            except MessengerError as error:
                self._setbacks.failed(live, message, error)
                return
            except Exception as error:  # noqa: BLE001  # the guarded edge: one dashboard must not stop the others
                self._setbacks.failed(live, message, error)
                return

    def _next(self, live: Live) -> Step | None:
        if live.wish is not Wish.SHOW:
            return self._next_down(live)
        for message in live.messages:
            if message.is_gone:
                return self._sending.forget, message
        count = len(self._painter.draw(live)) if live.retry_at <= _now() else 0
        if count == 0:
            return None
        return self._next_place(live, count) or self._next_content(live)

    def _next_place(self, live: Live, count: int) -> Step | None:
        """What is to be done until there are `count` messages in their order."""
        last = live.messages[-1]
        if last.placement.position >= count and last is not live.first:
            return self._retire, last
        newest = 0
        for message in live.messages:
            if message.is_wanting:
                return self._sending.post, message
            message_id = message.placement.message_id or 0
            if message_id < newest and live.order_at <= _now():
                return self._sending.renew, message
            newest = message_id
        return (self._grow, last) if live.free_position() < count and live.grow_at <= _now() else None

    def _next_content(self, live: Live) -> Step | None:
        """What is to be done for messages that are all there."""
        now = _now()
        for message in live.messages:
            view = self._painter.view_of(live, message) if not message.is_answering(now) else None
            if view is not None and view.fingerprint != message.placement.content_hash:
                return self._sending.edit, message
        for message in live.messages:
            if message.unverified:
                return self._sending.verify, message
        return (self._sending.renew, live.first) if self._is_renewal_due(live) else None

    def _next_down(self, live: Live) -> Step | None:
        """What is to be done until no message is left: the last one goes first."""
        first, last = live.first, live.messages[-1]
        removed = live.wish is Wish.REMOVE and live.placement.state == PlacementState.REMOVED
        if live.dropped or (removed and last is first and live.placement.message_id is None and not first.uncertain):
            return None
        if last is first:
            return self._take_down, first
        return (self._retire, last) if removed or live.wish is Wish.DISCARD else (self._mark_removed, first)

    async def _grow(self, live: Live, _last: LiveMessage) -> None:
        """Make the row of a further message; it is committed before the message is posted."""
        placement = await self._memory.add(live.placement, live.free_position())
        if placement is None:
            if live.grow_at == -math.inf:
                log.warning("a dashboard gets no further message while the database is away", **names_of(live))
            live.grow_at = _now() + _GROW_PAUSE_SECONDS
            return
        live.grow_at = -math.inf
        message = LiveMessage.loaded(placement)
        # Rows of earlier runs were loaded at the start: no message can exist for one made since.
        message.uncertain = message.uncertain and placement.message_id is not None
        live.add([message])

    async def _retire(self, live: Live, message: LiveMessage) -> None:
        """Delete a message that is not needed any more, then its row."""
        await self._sending.delete(live, message)
        await self._memory.delete(message.placement.id)
        live.messages.remove(message)

    async def _mark_removed(self, live: Live, first: LiveMessage) -> None:
        """Say in the first row that all are to go, so that a crash in between leaves none behind."""
        await self._sending.locate(first)
        self._sending.keep(first, replace(first.placement, state=PlacementState.REMOVED))
        await self._memory.commit(first.placement)

    async def _take_down(self, live: Live, first: LiveMessage) -> None:
        await self._sending.delete(live, first)
        wish = live.wish
        if wish is Wish.DISCARD:
            await self._memory.delete(first.placement.id)
            live.dropped = True
            self._dropped(live)
            return
        state = PlacementState.REMOVED if wish is Wish.REMOVE else PlacementState.POSTING
        gone = replace(first.placement, state=state, message_id=None, content_hash=None, error=None)
        self._sending.keep(first, gone)
        await self._memory.commit(first.placement)

    def _tell_problems(self, live: Live) -> None:
        """The first row tells the problems of all messages, also when another one changed."""
        view = self._painter.view_of(live, live.first) if len(live.messages) > 1 and live.wish is Wish.SHOW else None
        if view is not None and list(live.placement.problems) != list(plain_problems(view)):
            self._sending.keep(live.first, replace(live.placement, problems=plain_problems(view)))

    def _is_renewal_due(self, live: Live) -> bool:
        """Whether the first message is too old. The others follow it, for they must not be older than it."""
        renew_after, message_id = self._painter.renew_after(live), live.placement.message_id
        if renew_after is None or message_id is None or _now() < live.renew_at:
            return False
        return self._age(message_id) >= renew_after


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Another page of a message, shown by the answer to a click."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.publishing.painting import plain_problems
from app.bot.application.publishing.placement_memory import PlacementMemory
from app.bot.domain.blocks.block import View

_ANSWER_SECONDS = 30.0
"""An answer that took longer than this is taken for lost, and the message edited."""


class Turn:
    """The view that a click must be answered with in place of what the message shows.

    Until it is known whether Discord took the answer the message is not edited; if it did not, an edit makes up for it.
    """

    def __init__(self, message: LiveMessage, view: View, memory: PlacementMemory, go_on: Callable[[], object]) -> None:
        now = asyncio.get_running_loop().time()
        self.view = view
        self.marker = message.placement.marker
        self._message = message
        self._message_id = message.placement.message_id
        self._memory = memory
        self._go_on = go_on
        self._alone = not message.sending and not message.is_answering(now)
        message.changes += 1
        self._change = message.changes
        message.answers += 1
        message.answering_until = now + _ANSWER_SECONDS

    def settle(self, delivered: bool) -> None:  # a callback: whether Discord took the answer
        """Say whether Discord took the answer. Call it once."""
        message = self._message
        message.answers -= 1
        if message.placement.message_id == self._message_id:
            # Where something else was under way too, nobody knows which came last.
            known = delivered and self._alone and message.is_latest(self._change)
            shown = self.view.fingerprint if known else None
            message.placement = replace(message.placement, content_hash=shown)
            if known:
                message.placement = replace(message.placement, problems=plain_problems(self.view), error=None)
            self._memory.later(message.placement)
        self._go_on()

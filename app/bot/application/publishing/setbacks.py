"""What becomes of a placement whose delivery failed: when it is tried again, and what its row and the log say."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace

import structlog

from app.bot.application.publishing.live import Live, Wish, names_of
from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.publishing.messenger import (
    ChannelGoneError,
    InvalidMessageError,
    MessengerError,
    NotPermittedError,
)
from app.bot.application.publishing.placement_memory import PlacementMemory
from app.bot.domain.blocks.block import Problem, View
from app.bot.domain.dashboards.placements import Placement, PlacementState
from app.bot.domain.faults import describe_fault
from app.bot.domain.formatting.markdown import escape_markdown

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds until the next attempt: after a refusal, and the first and last one while Discord does not answer."""

    refused: float = 300.0
    first: float = 1.0
    last: float = 60.0


class Setbacks:
    """Judges how deliveries ended. One log line when a message cannot be kept up to date, one when it can again."""

    def __init__(self, memory: PlacementMemory, pauses: Pauses) -> None:
        self._memory = memory
        self._pauses = pauses

    def is_unsettled(self, live: Live) -> bool:
        """Whether a row still says that something failed, though it may be tried now."""
        return any(self._is_unsettled(live, message) for message in live.messages)

    def _is_unsettled(self, live: Live, message: LiveMessage) -> bool:
        placement = message.placement
        wrong = placement.state == PlacementState.FAILED or placement.error != message.refusal
        return live.wish is Wish.SHOW and live.retry_at <= _now() and placement.message_id is not None and wrong

    def settled(self, live: Live) -> None:
        """All is as wanted: clear what failed before, in one log line."""
        if live.retry_at > _now():
            return
        live.failures, live.retry_at = 0, -math.inf
        if live.failing and all(message.refusal is None for message in live.messages):
            live.failing = False
            log.info("a dashboard's message is up to date again", **names_of(live))
        for message in live.messages:
            if self._is_unsettled(live, message):
                posted = replace(message.placement, state=PlacementState.POSTED, error=message.refusal)
                self._keep(message, posted)

    def refused(self, live: Live, message: LiveMessage, error: InvalidMessageError) -> None:
        """Discord does not take the view: say so in its place, and try the view again when it changed or later."""
        message.refusal = str(error)
        message.refused_until = _now() + self._pauses.refused
        self._log_failure(live, str(error))

    def failed(self, live: Live, message: LiveMessage, error: Exception) -> None:
        """A step failed: say why, and when to try again."""
        reason = str(error) if isinstance(error, MessengerError) else describe_fault(error)
        placement = replace(message.placement, error=reason)
        if isinstance(error, ChannelGoneError):
            live.retry_at = math.inf
            self._channel_gone(live, reason)
            placement = message.placement
        elif isinstance(error, NotPermittedError | InvalidMessageError):
            live.retry_at = _now() + self._pauses.refused
            message.unverified = placement.message_id is not None
            # A renewal whose outcome is unknown must be found again after a crash.
            if not (message.uncertain and placement.message_id is not None):
                placement = replace(placement, state=PlacementState.FAILED)
        else:
            live.retry_at = _now() + min(self._pauses.first * 2.0**live.failures, self._pauses.last)
            live.failures = min(live.failures + 1, 30)
        if live.wish is Wish.SHOW:
            self._keep(message, placement)
        self._log_failure(live, reason)

    def _channel_gone(self, live: Live, reason: str) -> None:
        """All messages went with their channel; the first row says why."""
        for message in live.messages:
            message.uncertain = False
            error = reason if message is live.first else None
            gone = replace(message.placement, state=PlacementState.FAILED, message_id=None, content_hash=None)
            if live.wish is Wish.SHOW:
                self._keep(message, replace(gone, error=error))

    def _log_failure(self, live: Live, reason: str) -> None:
        if not live.failing:
            live.failing = True
            log.warning("a dashboard's message cannot be kept up to date", **names_of(live), reason=reason)

    def _keep(self, message: LiveMessage, placement: Placement) -> None:
        message.placement = placement
        self._memory.later(placement)


def refusal_view(reason: str) -> View:
    """What is shown in the place of a view that Discord does not take."""
    problem = Problem("This dashboard cannot be shown", escape_markdown(reason))
    return View((problem,), (problem,))


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Retry policy for steps that failed: when the next attempt is due, and what the rows and the log say until then."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace

import structlog

from app.bot.application.publishing.dashboard_messages import DashboardInChannel, Intent, MessageState
from app.bot.application.publishing.messenger import (
    ChannelGoneError,
    InvalidMessageError,
    MessageGoneError,
    MessengerError,
    NotPermittedError,
)
from app.bot.application.publishing.store import MessageStore
from app.bot.domain.dashboards.placements import DashboardMessage, PostState
from app.bot.domain.faults import describe_fault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds until the next attempt: after a refusal, and the first and last one while Discord does not answer."""

    refused: float = 300.0
    first: float = 1.0
    last: float = 60.0


class RetryPolicy:
    """Judges how steps ended. One log line when a message cannot be kept up to date, one when it can again."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self.pauses = Pauses()

    def succeeded(self, shown: DashboardInChannel) -> None:
        """Forget what failed before: nothing is left to do."""
        now = _now()
        if shown.retry_at > now:
            return
        shown.failures, shown.retry_at = 0, -math.inf
        if shown.failing and all(message.refusal_at(now) is None for message in shown.messages):
            shown.failing = False
            log.info("a dashboard's message is up to date again", **shown.names)

    def failed(self, shown: DashboardInChannel, message: MessageState | None, error: Exception) -> bool:
        """Judge a step that failed, and return whether the next one may follow at once.

        `message` is the one that it was about; None where no row of a message could be made yet.
        """
        if message is not None and isinstance(error, MessageGoneError):
            message.gone_id = message.row.message_id
            return True
        now = _now()
        if message is not None and isinstance(error, InvalidMessageError) and message.refusal_at(now) is None:
            # Discord does not take the view: an error is shown in its place, until the view changes or some time later.
            message.refusal, message.refused_until = str(error), now + self.pauses.refused
            self._log_failure(shown, str(error))
            return True
        self._wait(shown, message, error, now)
        return False

    def _wait(self, shown: DashboardInChannel, message: MessageState | None, error: Exception, now: float) -> None:
        """Store the reason, and say when to try again."""
        reason = str(error) if isinstance(error, MessengerError) else describe_fault(error)
        self._log_failure(shown, reason)
        if isinstance(error, ChannelGoneError):
            shown.retry_at = math.inf
            self._give_up_messages(shown, reason)
            return
        if isinstance(error, NotPermittedError | InvalidMessageError):
            shown.retry_at = now + self.pauses.refused
        else:
            shown.retry_at = now + min(self.pauses.first * 2.0**shown.failures, self.pauses.last)
            shown.failures = min(shown.failures + 1, 30)
        if message is None:
            return
        row = replace(message.row, error=reason)
        if isinstance(error, NotPermittedError | InvalidMessageError):
            message.unverified = row.message_id is not None
            # A renewal whose outcome is unknown must be found again after a crash.
            if not (message.uncertain and row.message_id is not None):
                row = replace(row, state=PostState.FAILED)
        if shown.intent is Intent.SHOW:
            self._keep(message, row)

    def _give_up_messages(self, shown: DashboardInChannel, reason: str) -> None:
        """All messages went with their channel; the reason is stored once."""
        for message in shown.messages:
            message.uncertain = False
            gone = replace(message.row, state=PostState.FAILED, message_id=None, content_hash=None, error=None)
            if shown.intent is Intent.SHOW:
                self._keep(message, replace(gone, error=reason) if message is shown.messages[0] else gone)

    def _log_failure(self, shown: DashboardInChannel, reason: str) -> None:
        if not shown.failing:
            shown.failing = True
            log.warning("a dashboard's message cannot be kept up to date", **shown.names, reason=reason)

    def _keep(self, message: MessageState, row: DashboardMessage) -> None:
        message.row = row
        self._store.later(row)


def _now() -> float:
    return asyncio.get_running_loop().time()

"""One message of a dashboard in a channel while the bot runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.bot.domain.dashboards.placements import Placement, PlacementState


@dataclass(slots=True, eq=False)
class LiveMessage:
    """A message, or the wish for one. Times are the event loop's."""

    placement: Placement
    uncertain: bool = False
    """A message may exist that the placement does not know."""
    unverified: bool = False
    """The message was there when it was last seen, but may have been deleted since."""
    gone_id: int | None = None
    refusal: str | None = None
    refused_until: float = -math.inf
    quick_reposts: int = 0
    changes: int = 0
    """How often something began that changes what the message shows: an edit, a post, an answer to a click."""
    sending: bool = False
    answers: int = 0
    """Answers to clicks on their way, each of which changes what the message shows."""
    answering_until: float = -math.inf
    """When an answer that nobody heard of any more is given up."""

    @classmethod
    def loaded(cls, placement: Placement) -> LiveMessage:
        """A message of an earlier run of the bot."""
        removed = placement.state == PlacementState.REMOVED
        posting = placement.state == PlacementState.POSTING
        return cls(
            placement,
            uncertain=not removed and (posting or placement.message_id is None),
            unverified=placement.message_id is not None,
        )

    @property
    def is_gone(self) -> bool:
        """Whether somebody deleted the message that the placement knows."""
        return self.gone_id is not None and self.gone_id == self.placement.message_id

    @property
    def is_wanting(self) -> bool:
        """Whether the message is to be posted, or to be found first."""
        return self.placement.message_id is None or self.placement.state == PlacementState.POSTING

    def is_answering(self, now: float) -> bool:
        """Whether the answer to a click is on its way to the message."""
        return self.answers > 0 and now < self.answering_until

    def begin_sending(self) -> int:
        """Say that something is sent now; `is_latest` takes the number."""
        self.sending = True
        self.changes += 1
        return self.changes

    def is_latest(self, change: int) -> bool:
        """Whether nothing else began since, so that the message shows what was sent."""
        return change == self.changes

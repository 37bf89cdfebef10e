"""A placement while the bot runs, and what a delivery needs to know of the dashboard behind it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.bot.domain.blocks import View
from app.bot.domain.placements import Placement, PlacementState


class Wish(StrEnum):
    """What should become of a placement: shown, taken down for good by a user, or gone with its row."""

    SHOW = "show"
    REMOVE = "remove"
    DISCARD = "discard"


@dataclass(slots=True, eq=False)
class Live:
    """A placement while the bot runs. `retry_at` is the event loop's time before which nothing is tried."""

    placement: Placement
    uncertain: bool = False
    """A message may exist that the placement does not know."""
    unverified: bool = False
    """The message was there when it was last seen, but may have been deleted since."""
    wish: Wish = Wish.SHOW
    view: View | None = None
    dirty: bool = True
    """The view is older than what it shows."""
    gone_id: int | None = None
    page_changes: int = 0
    sent_at: float = -math.inf
    retry_at: float = -math.inf
    renew_at: float = -math.inf
    refused_until: float = -math.inf
    refusal: str | None = None
    failures: int = 0
    quick_reposts: int = 0
    failing: bool = False
    dropped: bool = False
    task: asyncio.Task[None] | None = None

    @classmethod
    def loaded(cls, placement: Placement) -> Live:
        """A placement from an earlier run of the bot."""
        removed = placement.state == PlacementState.REMOVED
        posting = placement.state == PlacementState.POSTING
        return cls(
            placement,
            uncertain=not removed and (posting or placement.message_id is None),
            unverified=placement.message_id is not None,
            wish=Wish.REMOVE if removed else Wish.SHOW,
        )

    @property
    def busy(self) -> bool:
        """Whether a delivery is on its way."""
        return self.task is not None and not self.task.done()

    def try_again(self) -> None:
        """Forget why the last attempt failed: something changed."""
        self.retry_at = self.refused_until = -math.inf
        self.refusal = None
        self.dirty = True


def names_of(live: Live) -> Mapping[str, int]:
    """What a log line says of a placement."""
    return {"dashboard": live.placement.dashboard_id, "channel": live.placement.channel_id}

"""Where a dashboard is shown: one row for each message of it in a channel, remembered before the message exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

_DISCORD_EPOCH_MILLISECONDS = 1_420_070_400_000
"""2015-01-01, the zero of Discord's snowflakes (documentation, reference, snowflakes)."""

MARKER_BASE = 0x484C0000
"""“HL”: added to a placement's id it makes the integer `id` of its message's first component, Discord's 32 bits."""


class PlacementState(StrEnum):
    """The life of a placement. `posting` was committed before the message was sent: it may or may not exist."""

    POSTING = "posting"
    POSTED = "posted"
    REMOVED = "removed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Placement:
    """The memory of one message. `content_hash` is the fingerprint of the view that the message shows.

    A dashboard that one message cannot hold has several in a channel, at the positions 0, 1, ...; `page`,
    `variables` (the values chosen, by name) and the `problems` of all are told by the first.
    """

    id: int
    dashboard_id: int
    channel_id: int
    position: int = 0
    origin: str = "definition"
    state: str = PlacementState.POSTING
    message_id: int | None = None
    content_hash: str | None = None
    page: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Mapping[str, str]] = ()
    error: str | None = None
    posted_at: datetime | None = None
    edited_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def marker(self) -> int:
        """The integer by which the bot knows its own message again after a crash (1 to 2^31 - 1)."""
        return MARKER_BASE + self.id % 0x30000000

    @property
    def nonce(self) -> str:
        """Discord refuses a second message with the same nonce within minutes; at most 25 characters."""
        return f"hl{self.id}g{int(self.posted_at.timestamp()) if self.posted_at else 0}"


def choices_of(placement: Placement) -> Mapping[str, Sequence[str]]:
    """What was chosen of variables, whatever the row holds."""
    return {
        str(name): tuple(value for value in values if isinstance(value, str))
        for name, values in placement.variables.items()
        if isinstance(values, (list, tuple))
    }


def message_age(message_id: int, now: datetime) -> float:
    """Seconds since a message was posted, from its snowflake (documentation, reference, snowflakes)."""
    milliseconds = (message_id >> 22) + _DISCORD_EPOCH_MILLISECONDS
    return (now - datetime.fromtimestamp(milliseconds / 1000, UTC)).total_seconds()

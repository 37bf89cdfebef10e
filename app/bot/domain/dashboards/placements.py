"""Where a dashboard is shown: a placement for each channel, with its messages, remembered before they exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

_DISCORD_EPOCH_MILLISECONDS = 1_420_070_400_000
"""2015-01-01, the zero of Discord's snowflakes (documentation, reference, snowflakes)."""

MARKER_BASE = 0x484C0000
"""“HL”: added to a message row's id it makes the integer `id` of the message's first component, Discord's 32 bits."""


class PostState(StrEnum):
    """The life of a message. `posting` was committed before the message was sent: it may or may not exist."""

    POSTING = "posting"
    POSTED = "posted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DashboardMessage:
    """The memory of one message. `content_hash` is the fingerprint of the view that the message shows.

    A dashboard that one message cannot hold has several in a channel, at the positions 0, 1, ...
    """

    id: int
    placement_id: int
    position: int = 0
    state: str = PostState.POSTING
    message_id: int | None = None
    content_hash: str | None = None
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


@dataclass(frozen=True, slots=True)
class Placement:
    """A dashboard in a channel: the page and the values of variables chosen there, and the problems that it shows.

    `removed` remembers that a user took it down, so that it stays away although its definition names the channel.
    """

    id: int
    dashboard_id: int
    channel_id: int
    origin: str = "definition"
    removed: bool = False
    page: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Mapping[str, str]] = field(default_factory=list)
    messages: Sequence[DashboardMessage] = ()
    """Ordered by position."""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Posted if every message is, else the state of the first one that is not."""
        states = [message.state for message in self.messages] or [PostState.POSTING]
        return next((state for state in states if state != PostState.POSTED), PostState.POSTED)

    @property
    def error(self) -> str | None:
        """The first error that one of the messages has."""
        return next((message.error for message in self.messages if message.error), None)

    @property
    def posted_count(self) -> int:
        """The number of its messages that are there."""
        return sum(message.state == PostState.POSTED for message in self.messages)

    def has_message(self, message_id: int) -> bool:
        """Return whether Discord's message with this id belongs to the placement."""
        return any(message.message_id == message_id for message in self.messages)


def choices_of(placement: Placement) -> Mapping[str, Sequence[str]]:
    """Return the values chosen of each variable, whatever the row holds."""
    return {
        str(name): tuple(value for value in values if isinstance(value, str))
        for name, values in placement.variables.items()
        if isinstance(values, (list, tuple))
    }


def message_age(message_id: int, now: datetime) -> float:
    """Seconds since a message was posted, from its snowflake (documentation, reference, snowflakes)."""
    milliseconds = (message_id >> 22) + _DISCORD_EPOCH_MILLISECONDS
    return (now - datetime.fromtimestamp(milliseconds / 1000, UTC)).total_seconds()

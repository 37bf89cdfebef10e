"""What the publisher needs of Discord, as a structural protocol, and the named ways in which it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.bot.domain.blocks.block import View
from app.bot.domain.errors import HomelabError

Draw = Callable[[], View | None]
"""Returns the view to send at the very moment its turn comes; None when there is nothing to send any more."""


class MessengerError(HomelabError):
    """A message could not be sent, changed or found; the text is for the user."""


class MessageGoneError(MessengerError):
    """The message does not exist any more."""


class ChannelGoneError(MessengerError):
    """The channel does not exist any more."""


class NotPermittedError(MessengerError):
    """The bot may not do this in the channel; the text names the permission that it lacks."""


class UnavailableError(MessengerError):
    """Discord did not answer as it should. Try again later; whether the request took effect is not known."""


class InvalidMessageError(MessengerError):
    """Discord refuses what the message contains. The same view would be refused again."""


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What Discord says of a message that exists."""

    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Cadence:
    """What a channel can keep, all its messages together: seconds from one edit to the next.

    `old` is for messages older than an hour, None while Discord has not refused such an edit yet; `waiting` is how
    many requests wait for their turn there now.
    """

    young: float
    old: float | None = None
    waiting: int = 0


class Messenger(Protocol):
    """Sends views to channels at the pace that Discord allows: a call returns when its turn came and it is done.

    Every call raises the errors above and nothing else.
    """

    async def post(self, channel_id: int, view: View, marker: int, nonce: str) -> int:
        """Send a message and return its id. `nonce` keeps Discord from making a second one within minutes."""
        ...

    async def edit(self, channel_id: int, message_id: int, draw: Draw, marker: int) -> None:
        """Make a message show what `draw` returns when its turn has come, so that the newest view is sent."""
        ...

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete a message; one that is gone already is no error."""
        ...

    async def find(self, channel_id: int, marker: int, after: int | None = None) -> int | None:
        """Return the id of this bot's newest message whose first component has the id `marker`; newer than `after`."""
        ...

    async def look(self, channel_id: int, message_id: int) -> MessageFacts | None:
        """Return what is known of a message; None when it does not exist."""
        ...

    async def pin(self, channel_id: int, message_id: int) -> None:
        """Pin a message."""
        ...

"""Discord's refusals as the application's named errors, with texts that say what to do."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from app.bot.application.publishing.messenger import (
    ChannelGoneError,
    InvalidMessageError,
    MessageGoneError,
    MessengerError,
    NotPermittedError,
    UnavailableError,
)
from app.bot.infrastructure.discord.answer import Answer

NEEDED_PERMISSIONS = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "read_message_history": "Read Message History",
}
"""What the bot needs in a channel that shows a dashboard, in the words of Discord's settings."""

_TEXTS: dict[int, tuple[type[MessengerError], str]] = {
    10003: (ChannelGoneError, "The channel was deleted. Choose another channel for this dashboard."),
    10008: (MessageGoneError, "The message was deleted."),
    50005: (MessageGoneError, "The message belongs to another user."),
    50083: (NotPermittedError, "The thread is archived. Open it again."),
    160005: (NotPermittedError, "The thread is locked. Unlock it."),
}
"""Discord's documentation, JSON error codes."""


def named_error(answer: Answer, missing: Sequence[str]) -> MessengerError:
    """Return the error for an answer that refuses a request; `missing` names the permissions that the bot lacks."""
    if answer.code in _TEXTS:
        kind, text = _TEXTS[answer.code]
        return kind(text)
    if answer.status == 403:
        names = ", ".join(missing) or f"Discord does not say which ({answer.message})"
        return NotPermittedError(f"The bot lacks a permission in this channel: {names}. Grant it to the bot's role.")
    if answer.status in (400, 413):
        return InvalidMessageError(f"Discord refuses this message: {answer.message}")
    if answer.status == 401:
        return UnavailableError("Discord does not accept the bot's token any more. Set a new one.")
    return UnavailableError(f"Discord is not available right now (status {answer.status}).")


def missing_permissions(client: discord.Client, channel_id: int) -> list[str]:
    """Needed permissions that the bot does not have in a channel, as far as the client's cache knows it."""
    channel = client.get_channel(channel_id)
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return []
    # The guild's own type says that this is never None; before the guild is loaded it is.
    me: discord.Member | None = channel.guild.me
    if me is None:
        return []
    needed = dict(NEEDED_PERMISSIONS)
    if isinstance(channel, discord.Thread):
        del needed["send_messages"]
        needed["send_messages_in_threads"] = "Send Messages in Threads"
    permissions = channel.permissions_for(me)
    return [name for flag, name in needed.items() if not getattr(permissions, flag)]

"""Dashboards from Discord: list, show, refresh, post, remove."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import discord
from discord import app_commands

from app.bot.application.queries.overview import dashboards_view
from app.bot.application.rendering.answers import notice, refusal
from app.bot.application.rendering.builder import pages_of
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.placements import PostState
from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import escape_markdown
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import (
    AppCommand,
    CommandContext,
    CommandType,
    choices,
    command_types,
    dashboard_choices,
)

_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "read_message_history": "Read Message History",
}
"""What the bot needs in a channel: to post, to edit, and to find its own message again after a crash."""

Interaction = discord.Interaction[Any]


class ChannelNotUsableError(HomelabError):
    """The bot cannot post in the channel; the text names what is missing."""


@command_types.register("dashboard")
class DashboardCommand(CommandType, title="Dashboard"):
    """Lists, shows, refreshes, posts and removes dashboards.

    Posting and removing need the permission dashboard.manage, or Discord's Manage Server.
    """

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a group with one subcommand for each."""
        return _DashboardGroup(definition, context)


class _DashboardGroup(app_commands.Group):
    def __init__(self, definition: CommandDefinition, context: CommandContext) -> None:
        super().__init__(name=definition.name, description=definition.description)
        self._context = context

    async def _reply(self, interaction: Interaction, work: Coroutine[Any, Any, View]) -> None:
        await self._context.replies.command(interaction, work)

    @app_commands.command(name="list", description="All dashboards of this server, and where they are shown")
    async def list_(self, interaction: Interaction) -> None:
        """List the dashboards."""
        await self._reply(interaction, self._list(interaction))

    @app_commands.command(description="Show a dashboard to you alone")
    @app_commands.describe(name="The dashboard", page="The page to begin with")
    async def show(self, interaction: Interaction, name: str, page: str | None = None) -> None:
        """Show one dashboard."""
        await self._reply(interaction, self._show(interaction, name, page))

    @app_commands.command(description="Read everything a dashboard shows again, now")
    @app_commands.describe(name="The dashboard")
    async def refresh(self, interaction: Interaction, name: str) -> None:
        """Refresh one dashboard."""
        await self._reply(interaction, self._refresh(interaction, name))

    @app_commands.command(description="Show a dashboard in a channel, kept up to date from now on")
    @app_commands.describe(name="The dashboard", channel="Where; this channel if left out")
    async def post(self, interaction: Interaction, name: str, channel: discord.TextChannel | None = None) -> None:
        """Post one dashboard."""
        await self._reply(interaction, self._post(interaction, name, channel))

    @app_commands.command(description="Take a dashboard out of a channel")
    @app_commands.describe(name="The dashboard", channel="From where; this channel if left out")
    async def remove(self, interaction: Interaction, name: str, channel: discord.TextChannel | None = None) -> None:
        """Remove one dashboard from a channel."""
        await self._reply(interaction, self._remove(interaction, name, channel))

    @show.autocomplete("name")
    @refresh.autocomplete("name")
    @post.autocomplete("name")
    @remove.autocomplete("name")
    async def complete(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Return the dashboards of this guild."""
        return dashboard_choices(interaction, self._context, typed)

    @show.autocomplete("page")
    async def complete_page(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Return the pages of the dashboard that is named already."""
        boards = self._context.dashboards.visible_to(actor_of(interaction))
        named = getattr(interaction.namespace, "name", None)
        return choices(((page, page) for board in boards if board.name == named for page in pages_of(board)), typed)

    async def _list(self, interaction: Interaction) -> View:
        dashboards = self._context.dashboards
        boards = dashboards.visible_to(actor_of(interaction))
        return dashboards_view([(board, dashboards.placements_of(board)) for board in boards])

    async def _show(self, interaction: Interaction, name: str, page: str | None) -> View:
        board = self._context.dashboards.named(interaction.guild_id, name)
        return await self._context.dashboards.show(actor_of(interaction), board, page)

    async def _refresh(self, interaction: Interaction, name: str) -> View:
        board = self._context.dashboards.named(interaction.guild_id, name)
        messages = await self._context.dashboards.refresh(actor_of(interaction), board)
        if not messages:
            return notice(f"**{escape_markdown(board.name)}** is not shown in a channel. /dashboard post does that.")
        count = "its message" if messages == 1 else f"its {messages} messages"
        return notice(f"**{escape_markdown(board.name)}** was read again; {count} will follow.")

    async def _post(self, interaction: Interaction, name: str, channel: discord.TextChannel | None) -> View:
        board = self._context.dashboards.named(interaction.guild_id, name)
        channel_id = _usable_channel(interaction, channel)
        placement = await self._context.dashboards.post(actor_of(interaction), board, channel_id)
        title = f"**{escape_markdown(board.name)}**"
        if placement.error:
            return refusal(f"{title} could not be shown in <#{channel_id}> yet: {escape_markdown(placement.error)}")
        if placement.state != PostState.POSTED:
            return notice(f"{title} will appear in <#{channel_id}> in a moment.")
        return notice(f"{title} is shown in <#{channel_id}> from now on.")

    async def _remove(self, interaction: Interaction, name: str, channel: discord.TextChannel | None) -> View:
        board = self._context.dashboards.named(interaction.guild_id, name)
        channel_id = channel.id if channel is not None else interaction.channel_id or 0
        removed = await self._context.dashboards.remove(actor_of(interaction), board, channel_id)
        if not removed:
            return notice(f"**{escape_markdown(board.name)}** is not shown in <#{channel_id}>.")
        return notice(f"**{escape_markdown(board.name)}** is no longer shown in <#{channel_id}>.")


def _usable_channel(interaction: Interaction, channel: discord.TextChannel | None) -> int:
    """Return the channel's id, after a look at what the bot may do there. Raises ChannelNotUsableError."""
    if channel is None:
        if not isinstance(interaction.channel, discord.TextChannel):
            raise ChannelNotUsableError("Dashboards live in text channels. Name one with the option “channel”.")
        channel_id, permissions = interaction.channel.id, interaction.app_permissions
    else:
        channel_id, permissions = channel.id, channel.permissions_for(channel.guild.me)
    missing = [title for name, title in _NEEDED.items() if not getattr(permissions, name)]
    if missing:
        raise ChannelNotUsableError(
            f"The bot lacks {', '.join(missing)} in that channel. Give it to the bot's role there, then try again."
        )
    return channel_id

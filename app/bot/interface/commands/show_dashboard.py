"""A slash command of the user's own, for one dashboard."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from pydantic import Field

from app.bot.domain.blocks import View
from app.bot.domain.commands import CommandDefinition
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, command_types


@command_types.register("show_dashboard")
class ShowDashboardCommand(CommandType):
    """Shows one dashboard to whoever asks.

    The command has the name and description of its row; nobody else sees the answer.
    """

    dashboard: str = Field(min_length=1, description="Name of the dashboard, looked up in the guild of the user")
    page: str | None = Field(None, description="Page to begin with; empty for the first")

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """A command without options."""

        async def view(interaction: discord.Interaction[Any]) -> View:
            context.statistics.commands += 1
            dashboard = context.dashboards.named(interaction.guild_id, self.dashboard)
            return await context.dashboards.show(actor_of(interaction), dashboard, self.page)

        async def show(interaction: discord.Interaction[Any]) -> None:
            await context.replies.command(interaction, view(interaction))

        return app_commands.Command(name=definition.name, description=definition.description, callback=show)

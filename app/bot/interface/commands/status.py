"""The lab at a glance."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from app.bot.application.queries.overview import status_view
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.domain.guilds import Actor
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, command_types


@command_types.register("status")
class StatusCommand(CommandType, title="Status"):
    """Shows how the lab is doing.

    The worst status, how many sources are in each, the reasons of those that are down, and the bot itself.
    """

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command without options."""

        async def view(actor: Actor) -> View:
            return status_view(context.sources.visible_to(actor), context.condition())

        async def status(interaction: discord.Interaction[Any]) -> None:
            await context.replies.command(interaction, view(actor_of(interaction)))

        return app_commands.Command(name=definition.name, description=definition.description, callback=status)

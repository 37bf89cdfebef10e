"""The data sources and what they read."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from app.bot.application.queries.overview import source_view, sources_view
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.domain.guilds import Actor
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, command_types, source_choices


@command_types.register("sources")
class SourcesCommand(CommandType, title="Sources"):
    """Lists the data sources.

    Each with its status, the age of its reading and what is wrong; with a name, the metrics of that one.
    """

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command with one optional option, the source's name."""

        async def view(actor: Actor, name: str | None) -> View:
            if name is None:
                return sources_view(context.sources.visible_to(actor))
            return source_view(*context.sources.named(actor, name))

        async def sources(interaction: discord.Interaction[Any], name: str | None = None) -> None:
            await context.replies.command(interaction, view(actor_of(interaction), name))

        async def complete(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
            return source_choices(interaction, context, typed)

        command = app_commands.Command[Any, ..., Any](
            name=definition.name,
            description=definition.description,
            callback=app_commands.describe(name="Show the metrics of this source")(sources),
        )
        command.autocomplete("name")(complete)
        return command

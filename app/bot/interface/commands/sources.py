"""The data sources and what they read."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from app.bot.application.overview import source_view, sources_view
from app.bot.domain.blocks import View
from app.bot.domain.commands import CommandDefinition
from app.bot.domain.errors import UnknownSourceError
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, command_types, source_choices


@command_types.register("sources")
class SourcesCommand(CommandType):
    """Lists the data sources.

    Each with its status, the age of its reading and what is wrong; with a name, the metrics of that one.
    """

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """A command with one optional option, the source's name."""

        async def view(name: str | None) -> View:
            context.statistics.commands += 1
            known = context.definitions.sources
            if name is None:
                return sources_view([(source, context.readings.latest(source.name)) for source in known.values()])
            source = known.get(name) or next((found for found in known.values() if found.title == name), None)
            if source is None:
                raise UnknownSourceError(f"There is no data source “{name}”. Leave the name out to see them all.")
            return source_view(source, context.readings.latest(source.name))

        async def sources(interaction: discord.Interaction[Any], name: str | None = None) -> None:
            await context.replies.command(interaction, view(name))

        async def complete(_interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
            return source_choices(context, typed)

        command = app_commands.Command[Any, ..., Any](
            name=definition.name,
            description=definition.description,
            callback=app_commands.describe(name="Show the metrics of this source")(sources),
        )
        command.autocomplete("name")(complete)
        return command

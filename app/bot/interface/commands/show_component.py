"""A slash command of the user's own that shows one component."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, command_types
from app.bot.interface.commands.defined import DefinedCommand, Interaction, Values


@command_types.register("show_component")
class ShowComponentCommand(DefinedCommand, title="Show component"):
    """Shows one component of any type, with what the user enters as its settings.

    No one else sees the answer. Whoever asks must be allowed to look at every data source that it shows.
    """

    component: str = Field(min_length=1, description="Type of the component, such as table or chart")
    config: dict[str, Any] = Field(
        default_factory=dict, description="Its config; ${options.name} stands for what was entered"
    )

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command with the options of the row."""

        async def view(interaction: Interaction, values: Values) -> View:
            await self.check(interaction, definition, context)
            actor = actor_of(interaction)
            return await context.dashboards.show_component(actor, self.component, self.config, {"options": values})

        async def run(interaction: Interaction, values: Values) -> None:
            await context.replies.command(interaction, view(interaction, values))

        return self.command(definition, context, run)

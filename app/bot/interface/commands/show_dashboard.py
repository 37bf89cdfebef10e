"""A slash command of the user's own, for one dashboard."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.blocks.block import View
from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, command_types
from app.bot.interface.commands.defined import DefinedCommand, Interaction, Values


@command_types.register("show_dashboard")
class ShowDashboardCommand(DefinedCommand, title="Show dashboard"):
    """Shows one dashboard to whoever asks.

    The command has the name and description of its row; no one else sees the answer.
    """

    dashboard: str = Field(min_length=1, description="Name of the dashboard, looked up in the guild of the user")
    page: str | None = Field(None, description="Page to begin with; empty for the first; may be ${options.name}")
    variables: dict[str, str] = Field(
        default_factory=dict, description="Values of the dashboard's variables; each may be ${options.name}"
    )

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command with the options of the row."""

        async def view(interaction: Interaction, values: Values) -> View:
            await self.check(interaction, definition, context)
            chosen = fill_placeholders({"page": self.page, "variables": self.variables}, {"options": values})
            dashboard = context.dashboards.named(interaction.guild_id, self.dashboard)
            picked = {name: (str(value),) for name, value in chosen["variables"].items() if value not in (None, "")}
            page = None if chosen["page"] in (None, "") else str(chosen["page"])
            return await context.dashboards.show(actor_of(interaction), dashboard, page, picked)

        async def run(interaction: Interaction, values: Values) -> None:
            await context.replies.command(interaction, view(interaction, values))

        return self.command(definition, context, run)

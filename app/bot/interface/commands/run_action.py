"""Run an action."""

from __future__ import annotations

from typing import Any

import discord
from pydantic import Field

from app.bot.domain.actions.action import MAX_ACTION_NAME, ActionCall
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.actions.parameters import ActionParameter, ParameterType, is_missing
from app.bot.interface.actors import actor_of
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType, command_types
from app.bot.interface.commands.options import Choices, CommandOption, build_command

_KINDS: dict[ParameterType, type] = {
    ParameterType.INTEGER: int,
    ParameterType.NUMBER: float,
    ParameterType.BOOLEAN: bool,
}


@command_types.register("run_action")
class RunActionCommand(CommandType, title="Run action"):
    """Runs an action.

    Its parameters become the options, with what can be chosen offered while someone types.
    """

    action: str = Field(min_length=1, max_length=MAX_ACTION_NAME, description="Name of the action")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Values that are set beforehand; the other parameters become options"
    )

    def build(self, definition: CommandDefinition, context: CommandContext) -> AppCommand:
        """Return a command with an option for each parameter that is not set."""
        asked = [one for one in context.actions.parameters(self.action) if one.name not in self.parameters]

        async def run(interaction: discord.Interaction[Any], values: dict[str, Any]) -> None:
            await context.action_replies.start(interaction, ActionCall(self.action, {**values, **self.parameters}))

        options = [self._option(parameter, context) for parameter in asked]
        return build_command(definition.name, definition.description, options, run)

    def _option(self, parameter: ActionParameter, context: CommandContext) -> CommandOption:
        def complete(interaction: discord.Interaction[Any], typed: str) -> Choices:
            found = context.actions.choices(actor_of(interaction), self.action, parameter.name, typed)
            return [(offer.label, offer.value) for offer in found]

        return CommandOption(
            parameter.name,
            parameter.description or parameter.label,
            _KINDS.get(parameter.type, str),
            parameter.required and is_missing(parameter.default),
            complete=complete if parameter.type is ParameterType.CHOICE else None,
        )

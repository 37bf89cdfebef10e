"""Slash commands whose options stand in their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands
from pydantic import Field, model_validator

from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.actions.command_options import (
    MAX_OPTIONS,
    CommandOption,
    OptionType,
    matching_choices,
    options_problem,
)
from app.bot.domain.actions.parameters import item_offers
from app.bot.domain.errors import HomelabError
from app.bot.domain.permissions import COMMAND_RUN, scopes_of
from app.bot.interface.actors import actor_of
from app.bot.interface.commands import options as built
from app.bot.interface.commands.base import AppCommand, CommandContext, CommandType

Values = Mapping[str, str | int | float | bool | None]
Interaction = discord.Interaction[Any]

_ENTITIES = {
    OptionType.USER: discord.User,
    OptionType.CHANNEL: discord.abc.GuildChannel,
    OptionType.ROLE: discord.Role,
}
_MAX_TEXT = 6_000
"""Characters of a text option, Discord's limit."""


class DefinedCommand(CommandType):
    """Base of the commands whose options are part of their rows."""

    restricted: bool = Field(
        False, description="Only those may use it who have the permission command.run on it, or Manage Server"
    )
    options: list[CommandOption] = Field(
        default_factory=list,
        max_length=MAX_OPTIONS,
        description="What users can enter; the config knows it as ${options.name}",
    )

    @model_validator(mode="after")
    def _options_fit(self) -> DefinedCommand:
        problem = options_problem(self.options)
        if problem is not None:
            raise ValueError(f"options: {problem}")
        return self

    async def check(self, interaction: Interaction, definition: CommandDefinition, context: CommandContext) -> None:
        """Raise PermissionRefusedError, and record it, where the command is restricted and the user may not use it."""
        if self.restricted:
            scopes = scopes_of("command", definition.name)
            actor = actor_of(interaction)
            await context.audit.require(context.definitions.grants, actor, COMMAND_RUN, scopes, target=definition.name)

    def command(self, definition: CommandDefinition, context: CommandContext, run: built.Run) -> AppCommand:
        """Return the command with the row's options; `run` gets their values by name, ids for users and the like."""

        async def with_all_values(interaction: Interaction, given: dict[str, Any]) -> None:
            await run(interaction, {option.name: _plain(given.get(option.name), option) for option in self.options})

        made = [_option(option, context) for option in self.options]
        return built.build_command(definition.name, definition.description, made, with_all_values)


def _option(option: CommandOption, context: CommandContext) -> built.CommandOption:
    def complete(interaction: Interaction, typed: str) -> built.Choices:
        return _completed(interaction, option, typed, context)

    return built.CommandOption(
        option.name,
        option.description,
        _kind(option),
        option.required,
        choices=[(choice.label or choice.value, _typed(choice.value, option)) for choice in option.choices],
        complete=complete if option.choices_from is not None else None,
    )


def _completed(interaction: Interaction, option: CommandOption, typed: str, context: CommandContext) -> built.Choices:
    """Return what of a source's items fits what was typed; nothing where the user may not look at the source."""
    wanted = option.choices_from
    if wanted is None:
        return []
    try:
        _, reading = context.sources.named(actor_of(interaction), wanted.source)
    except HomelabError:
        return []
    offered = item_offers(wanted, reading.items.get(wanted.items, ()))
    found = matching_choices([(offer.label, offer.value) for offer in offered], str(typed))
    values = [(label, _typed(value, option)) for label, value in found]
    return [(label, value) for label, value in values if value is not None]


def _kind(option: CommandOption) -> Any:
    match option.type:
        case OptionType.TEXT:
            return _bounded(str, option, int(option.min or 0), min(int(option.max or _MAX_TEXT), _MAX_TEXT))
        case OptionType.INTEGER:
            return _bounded(int, option, _whole(option.min), _whole(option.max))
        case OptionType.NUMBER:
            return _bounded(float, option, option.min, option.max)
        case OptionType.BOOLEAN:
            return bool
        case _:
            return _ENTITIES[option.type]


def _bounded(kind: type, option: CommandOption, least: float | None, most: float | None) -> Any:
    if option.min is None and option.max is None:
        return kind
    return app_commands.Range[kind, least, most]


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _typed(value: str, option: CommandOption) -> Any:
    """Return a choice as its option's type has it; None for one that is none."""
    try:
        match option.type:
            case OptionType.INTEGER:
                return int(value)
            case OptionType.NUMBER:
                return float(value)
            case _:
                return value
    except ValueError:
        return None


def _plain(value: Any, option: CommandOption) -> str | int | float | bool | None:
    """Return what was entered, as configs take it."""
    if value is None:
        return option.default
    return value if isinstance(value, (str, int, float, bool)) else str(value.id)

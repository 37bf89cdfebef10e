"""Options of slash commands that are data: a function whose signature is made of them, as the library reads it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import discord
from discord import app_commands

from app.bot.interface.commands.base import MAX_CHOICE_CHARACTERS, MAX_CHOICES, AppCommand

MAX_OPTIONS = 25
"""Options of one command, Discord's limit."""
Choices = Sequence[tuple[str, Any]]
Complete = Callable[[discord.Interaction[Any], str], Choices]
"""Labels and values that fit what was typed."""
Run = Callable[[discord.Interaction[Any], dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CommandOption:
    """One option: `kind` is str, int, float or bool, or one of the library's ranges of them.

    `choices` are fixed labels and values; `complete` gives them while someone types.
    """

    name: str
    description: str
    kind: Any = str
    required: bool = True
    choices: Choices = ()
    complete: Complete | None = None


def build_command(name: str, description: str, options: Sequence[CommandOption], run: Run) -> AppCommand:
    """Return a command with these options, those that are required first, as Discord wants them."""
    ordered = sorted(options, key=lambda option: not option.required)[:MAX_OPTIONS]

    keys = {f"option_{place}": option for place, option in enumerate(ordered)}  # names may be none of Python's

    async def callback(interaction: discord.Interaction[Any], **values: Any) -> None:
        await run(interaction, {keys[key].name: value for key, value in values.items() if value is not None})

    callback.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # where inspect looks first
        [_parameter("interaction", discord.Interaction), *(_option(key, option) for key, option in keys.items())]
    )
    named: Any = app_commands.rename(**{key: option.name for key, option in keys.items()})(callback)
    described = app_commands.describe(**{key: option.description or option.name for key, option in keys.items()})(named)
    fixed = {
        key: [app_commands.Choice(name=label, value=value) for label, value in option.choices[:MAX_CHOICES]]
        for key, option in keys.items()
        if option.choices
    }
    if fixed:
        described = app_commands.choices(**fixed)(described)
    command = app_commands.Command[Any, ..., Any](name=name, description=description, callback=described)
    for key, option in keys.items():
        if option.complete is not None and not option.choices:
            command.autocomplete(key)(_autocomplete(option.complete))
    return command


def _autocomplete(complete: Complete) -> Any:
    async def completed(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[Any]]:
        found = complete(interaction, typed)
        return [
            app_commands.Choice(name=label[:MAX_CHOICE_CHARACTERS], value=value)
            for label, value in found
            if label and 0 < len(str(value)) <= MAX_CHOICE_CHARACTERS
        ][:MAX_CHOICES]

    return completed


def _option(key: str, option: CommandOption) -> inspect.Parameter:
    if option.required:
        return _parameter(key, option.kind)
    return _parameter(key, Optional[option.kind], None)  # noqa: UP045  # a range is no class that | takes


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, annotation=annotation, default=default)

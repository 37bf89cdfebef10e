"""Options of slash commands that rows define, and Discord's rules for commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.actions.parameters import CHOICE_CHARACTERS, ItemChoices, ParameterChoice

MAX_COMMANDS = 100
MAX_OPTIONS = 25
MAX_CHOICES = 25
MAX_NAME = 32
MAX_DESCRIPTION = 100
MAX_TOTAL = 8_000
"""Discord's limits: of an application, of a command, of an option, and of all texts of a command together."""
_LARGEST = 2**53
_NAME = re.compile(r"[-_\w]{1,32}", re.UNICODE)


def name_problem(name: str) -> str | None:
    r"""Return what is wrong with the name of a command or option, or None.

    Discord's rule: `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`, in lower case where its letters have one. Of
    what it allows, an apostrophe and some marks are left out here.
    """
    if _NAME.fullmatch(name) and name == name.lower():
        return None
    return f"“{name[:50]}” cannot be a name in Discord: 1 to {MAX_NAME} small letters, digits, - or _, without spaces"


def description_problem(text: str) -> str | None:
    """Return what is wrong with the description of a command or option, or None."""
    if len(text.strip()) >= 1 and len(text) <= MAX_DESCRIPTION:
        return None
    return f"needs 1 to {MAX_DESCRIPTION} characters, for Discord shows it beside the name; it has {len(text)}"


def _name(text: str) -> str:
    problem = name_problem(text)
    if problem is not None:
        raise ValueError(problem)
    return text


def _description(text: str) -> str:
    problem = description_problem(text)
    if problem is not None:
        raise ValueError(problem)
    return text


class OptionType(StrEnum):
    """What a user may enter."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    USER = "user"
    CHANNEL = "channel"
    ROLE = "role"


_WITH_CHOICES = frozenset({OptionType.TEXT, OptionType.INTEGER, OptionType.NUMBER})
_WITH_BOUNDS = _WITH_CHOICES


class CommandOption(BaseModel):
    """One option of a slash command; configs know what was entered as ${options.name}."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Annotated[str, AfterValidator(_name)] = Field(description="What is shown in Discord: small letters")
    description: Annotated[str, AfterValidator(_description)] = Field(description="What Discord shows beside it")
    type: OptionType = Field(
        OptionType.TEXT, description="text, integer, number, boolean, user, channel or role (those give their ids)"
    )
    required: bool = Field(False, description="Whether it must be entered; required options come first")
    default: str | int | float | bool | None = Field(None, description="The value where nothing was entered")
    min: float | None = Field(None, ge=-_LARGEST, le=_LARGEST, description="Least number, or characters of a text")
    max: float | None = Field(None, ge=-_LARGEST, le=_LARGEST, description="Greatest number, or characters of a text")
    choices: list[ParameterChoice] = Field(
        default_factory=list, max_length=MAX_CHOICES, description="The only values that can be chosen"
    )
    choices_from: ItemChoices | None = Field(
        None, description="Values to complete from, while someone types: the items of a data source"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> CommandOption:
        if self.choices and self.choices_from is not None:
            raise ValueError("choices and choices_from exclude each other: keep one of them")
        if (self.choices or self.choices_from is not None) and self.type not in _WITH_CHOICES:
            raise ValueError(f"choices have no effect on an option of type {self.type}: empty them")
        if (self.min is not None or self.max is not None) and self.type not in _WITH_BOUNDS:
            raise ValueError(f"min and max have no effect on an option of type {self.type}: empty them")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max")
        if self.type is OptionType.TEXT and (self.min or 0) < 0:
            raise ValueError("min of a text is a number of characters, 0 or more")
        if self.required and self.default is not None:
            raise ValueError("default has no effect on a required option: empty it")
        for choice in self.choices:
            self._check_choice(choice)
        return self

    def _check_choice(self, choice: ParameterChoice) -> None:
        if self.type is OptionType.TEXT:
            return
        try:
            float(choice.value) if self.type is OptionType.NUMBER else int(choice.value)
        except ValueError:
            raise ValueError(f"the choice “{choice.value}” is not of type {self.type}") from None


def options_problem(options: Sequence[CommandOption]) -> str | None:
    """Return what Discord would refuse of options together, or None."""
    names = [option.name for option in options]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return f"two are named “{twice}”; give each its own name"
    optional = next((place for place, option in enumerate(options) if not option.required), len(options))
    late = next((option.name for option in options[optional:] if option.required), None)
    if late is not None:
        return f"“{late}” is required and comes after one that is not; move the required ones to the front"
    return None


def length_problem(name: str, description: str, options: Sequence[CommandOption]) -> str | None:
    """Why a command is too long for Discord, or None: its names, descriptions and choices count together."""
    total = len(name) + len(description)
    for option in options:
        total += len(option.name) + len(option.description)
        total += sum(len(choice.label or choice.value) + len(choice.value) for choice in option.choices)
    if total <= MAX_TOTAL:
        return None
    return f"has {total} characters with its options and choices; Discord takes {MAX_TOTAL}. Shorten the choices"


def matching_choices(entries: Iterable[tuple[str, str]], typed: str, limit: int = MAX_CHOICES) -> list[tuple[str, str]]:
    """Return the entries (label, value) that contain what was typed, those that begin with it first.

    A value that is too long for Discord is left out: a shortened one would name something else.
    """
    wanted = typed.strip().casefold()
    found = [
        (not label.casefold().startswith(wanted), label.casefold(), label, value)
        for label, value in entries
        if wanted in label.casefold() or wanted in value.casefold()
    ]
    return [
        (label[:CHOICE_CHARACTERS], value)
        for _, _, label, value in sorted(found)
        if label and 0 < len(value) <= CHOICE_CHARACTERS
    ][:limit]

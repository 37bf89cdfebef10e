"""Slash commands."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from sqlalchemy import func, select

from app.bot.domain.actions.command_options import MAX_COMMANDS, description_problem, length_problem, name_problem
from app.definitions.errors import FieldError
from app.definitions.inputs import Config, Input, Name, without
from app.definitions.kinds.base import Checking, FileSection, register
from app.definitions.kinds.typed import TypedKind
from app.shared.database.models import CommandRow, CommandTypeRow


class CommandInput(Input):
    """A slash command."""

    name: Annotated[Name, AfterValidator(without(name_problem))] = Field(
        description="What is typed after the slash: 1 to 32 small letters, digits, - and _"
    )
    type: Name = Field(description="Name of a command type")
    description: Annotated[
        str, StringConstraints(strip_whitespace=True), AfterValidator(without(description_problem))
    ] = Field(description="What Discord shows beside it: 1 to 100 characters")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class Commands(TypedKind):
    """Discord takes a number of commands, each of a length."""

    name = "commands"
    singular = "command"
    row = CommandRow
    shape = CommandInput
    types = CommandTypeRow
    section = FileSection("commands", order=8)

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Refuse what Discord would refuse: a command that is too long, and one that is too many."""
        found = []
        model = checking.models.get(values["type"])
        with suppress(ValidationError):
            options = getattr(model.model_validate(dict(values["config"])), "options", []) if model else []
            problem = length_problem(values["name"], values["description"], options)
            found += [FieldError("config.options", problem)] if problem is not None else []
        is_other = CommandRow.id.is_distinct_from(existing.id if existing is not None else None)
        others = select(func.count()).select_from(CommandRow).where(CommandRow.enabled, is_other)
        if values["enabled"] and (await checking.database.scalar(others) or 0) >= MAX_COMMANDS:
            found.append(FieldError("enabled", f"Discord takes {MAX_COMMANDS} commands; switch another one off first"))
        return found


COMMANDS = register(Commands)

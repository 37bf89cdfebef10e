"""Actions: what users may do from Discord."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.bot.domain.actions.parameters import unknown_parameters
from app.bot.domain.components.placeholders import placeholders_in
from app.bot.domain.readings.items import value_at
from app.definitions.errors import FieldError
from app.definitions.inputs import Config, Input, KeyName, Name, Title
from app.definitions.kinds.base import FileSection, register
from app.definitions.kinds.typed import TypedKind
from app.shared.database.models import ActionRow, ActionTypeRow


class ActionInput(Input):
    """Something a user may do from Discord."""

    name: KeyName = Field(description="Unique; buttons and permissions refer to it")
    title: Title = Field("", description="The name that people read")
    type: Name = Field(description="Name of an action type")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class Actions(TypedKind):
    """Configs of actions may use the parameters that a run asks for."""

    name = "actions"
    singular = "action"
    row = ActionRow
    shape = ActionInput
    types = ActionTypeRow
    section = FileSection("actions", order=7)

    def is_known_later(self, error: FieldError, config: Mapping[str, Any]) -> bool:
        """Return True for a placeholder of a parameter, whose value is known when the action runs."""
        found = value_at(config, error.field.removeprefix("config."))
        return any(path.startswith("params.") for path in placeholders_in(found))

    def placeholder_errors(self, config: Mapping[str, Any]) -> list[FieldError]:
        """Refuse parameters that no run asks for."""
        return [
            FieldError("config", f"${{params.{unknown}}}: there is no parameter “{unknown}”; add it to parameters")
            for unknown in unknown_parameters(config)
        ]


ACTIONS = register(Actions)

"""The catalog of actions: look-up, settings, the choices for their parameters, and parsing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.bot.application.actions.base import Action
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.action import ActionCall, ActionDefinition
from app.bot.domain.actions.command_options import matching_choices
from app.bot.domain.actions.parameters import (
    ActionParameter,
    Offer,
    is_missing,
    offers,
    unknown_parameters,
)
from app.bot.domain.actions.settings import ActionSettings, CheckedCall, check_values, fill_values
from app.bot.domain.components.component import parse_config
from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.registry import Registry


class UnknownActionError(HomelabError):
    """No enabled row defines the action."""


@dataclass(frozen=True, slots=True)
class ActionForm:
    """What a user is asked before an action runs: some of its parameters, with their choices."""

    call: ActionCall
    title: str
    parameters: tuple[ActionParameter, ...]
    offers: Mapping[str, tuple[Offer, ...]]


class ActionCatalog:
    """Looks up actions, their settings and choices, and makes them from their rows."""

    def __init__(self, types: Registry[type[Action]], definitions: DefinitionCache, readings: ReadingStore) -> None:
        self._types = types
        self._definitions = definitions
        self._readings = readings

    def definition(self, name: str) -> ActionDefinition:
        """Return the row of an action that is switched on. Raises UnknownActionError."""
        definition = self._definitions.actions.get(name)
        if definition is None or not definition.enabled:
            raise UnknownActionError(f"The action “{name}” does not exist any more, or is switched off.")
        return definition

    def settings(self, definition: ActionDefinition) -> ActionSettings:
        """Return what its config says whatever its type. Raises InvalidConfigError."""
        return parse_config(ActionSettings, definition.config, f"Config of the action “{definition.name}”")

    def missing(
        self, call: ActionCall, definition: ActionDefinition, settings: ActionSettings, *, optional: bool = True
    ) -> ActionForm | None:
        """Return what is to be asked for a call; None where all is set beforehand.

        Without `optional`, a form is for those alone that a run cannot do without.
        """
        asked = tuple(parameter for parameter in settings.parameters if parameter.name not in call.parameters)
        if not any(optional or (parameter.required and is_missing(parameter.default)) for parameter in asked):
            return None
        found = {parameter.name: offers(parameter, self._readings) for parameter in asked}
        return ActionForm(call, definition.label, asked, found)

    def check(self, call: ActionCall, definition: ActionDefinition, settings: ActionSettings) -> CheckedCall:
        """Return the call with every value checked. Raises WrongParameterError."""
        return check_values(definition, settings, call.parameters, lambda one: offers(one, self._readings))

    def choices(self, action: str, parameter: str, typed: str, limit: int = 25) -> list[Offer]:
        """Return what can be chosen for a parameter and contains what was typed; those that begin with it first."""
        definition = self._definitions.actions.get(action)
        wanted = self.settings(definition).parameters if definition is not None else []
        found = next((one for one in wanted if one.name == parameter), None)
        if found is None:
            return []
        known = ((offer.label, offer.value) for offer in offers(found, self._readings))
        return [Offer(value, label) for label, value in matching_choices(known, typed, limit)]

    def parse(self, definition: ActionDefinition, config: Mapping[str, Any], values: Mapping[str, Any]) -> Action:
        """Return the action, with the values filled into its config. Raises UnknownTypeError or InvalidConfigError.

        The settings that every action has are not filled: they stay as the row has them.
        """
        kind, what = self._types[definition.type], f"Config of the action “{definition.name}”"
        unknown = unknown_parameters(config)
        if unknown:
            raise InvalidConfigError(f"{what}: there is no parameter “{unknown[0]}”; define it, or mend ${{params.…}}")
        filled = {
            name: value
            if name in ActionSettings.model_fields
            else fill_values(value, values, encoded=name in kind.encoded_fields)
            for name, value in config.items()
        }
        return parse_config(kind, filled, what)

    async def until_loaded(self) -> None:
        """Wait until the definitions were loaded."""
        await self._definitions.loaded.wait()

    def title(self, name: str) -> str:
        """Return what people read for an action, also for one that is gone."""
        definition = self._definitions.actions.get(name)
        return definition.label if definition is not None else name

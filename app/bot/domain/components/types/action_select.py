"""The action select component."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.actions.action import MAX_ACTION_NAME, ActionCall, ButtonCall
from app.bot.domain.actions.parameters import ItemChoices, item_offers
from app.bot.domain.blocks.block import Block, Option, Select, Text
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.components.component import Component, RenderContext, component_types

ACTION_SELECT_VERB = "action_select"
MAX_OPTIONS = 25
"""Options of one select, Discord's limit."""


class ActionOption(BaseModel):
    """One choice: an action, or a value for one of its parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1, max_length=100, pattern=r"\S", description="What the choice says")
    description: str = Field("", max_length=100, description="A small line below; empty for none")
    emoji: Emoji = Field("", description="An emoji in front, such as 🔄; empty for none")
    action: str = Field(
        "", max_length=MAX_ACTION_NAME, description="Name of the action; empty for the one of the whole select"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values of its parameters; the user is asked for those that are set nowhere",
    )


@component_types.register("action_select")
class ActionSelect(Component, title="Action select"):
    """A drop-down whose choices run actions.

    Choices are listed, or are the items of a data source, each the value of one parameter of the action.
    """

    placeholder: str = Field("Choose what to do", max_length=150, description="Shown while nothing is chosen")
    action: str = Field(
        "", max_length=MAX_ACTION_NAME, description="Name of the action, for choices that do not name their own"
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="Values of its parameters for every choice")
    options: list[ActionOption] = Field(default_factory=list, max_length=MAX_OPTIONS, description="The choices")
    choices_from: ItemChoices | None = Field(None, description="Or: the items of a data source are the choices")
    parameter: str = Field("", max_length=32, description="With choices_from: the parameter that gets the chosen value")

    @model_validator(mode="after")
    def _fits_together(self) -> ActionSelect:
        if bool(self.options) == (self.choices_from is not None):
            raise ValueError("options: list the choices, or take them from a data source with choices_from")
        if self.choices_from is not None and not (self.action.strip() and self.parameter.strip()):
            raise ValueError("choices_from needs the action, and the parameter that gets the chosen value")
        if self.choices_from is None and self.parameter:
            raise ValueError("parameter has no effect without choices_from: empty it")
        if any(not (option.action or self.action).strip() for option in self.options):
            raise ValueError("action is missing: name it here for all options, or in each of them")
        keys = [self._call(option).key for option in self.options]
        if len(set(keys)) < len(keys):
            raise ValueError("options has two that do the same; remove one of them")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the select; a small line where the data source has nothing to choose from."""
        options = tuple(option for option, _ in self._options(context))
        if not options:
            return (Text("-# There is nothing to choose from right now."),)
        placeholder = self.placeholder.strip() or None
        return (Select(context.custom_id(ACTION_SELECT_VERB), options, placeholder),)

    def calls(self, context: RenderContext) -> Iterator[ButtonCall]:
        """Yield the calls of the choices that there are now. Raises UnknownSourceError."""
        yield from (ButtonCall(call, is_choice=True) for _, call in self._options(context))

    def _options(self, context: RenderContext) -> Iterator[tuple[Option, ActionCall]]:
        return islice(self._all_options(context), MAX_OPTIONS)

    def _all_options(self, context: RenderContext) -> Iterator[tuple[Option, ActionCall]]:
        for option in self.options:
            call = self._call(option)
            yield Option(option.label, call.key, option.description or None, option.emoji or None), call
        if self.choices_from is not None:
            items = context.reading(self.choices_from.source).items.get(self.choices_from.items, ())
            for offer in item_offers(self.choices_from, items):
                call = ActionCall(self.action, {**self.parameters, self.parameter: offer.value})
                yield Option(offer.label, call.key), call

    def _call(self, option: ActionOption) -> ActionCall:
        own = option.action or self.action
        return ActionCall(own, {**(self.parameters if own == self.action else {}), **option.parameters})

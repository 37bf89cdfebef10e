"""The buttons component."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.actions.action import MAX_ACTION_NAME, ActionCall, ButtonCall
from app.bot.domain.blocks.block import Block, Button, Buttons, ButtonStyle
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.blocks.limits import MAX_BUTTONS_IN_ROW
from app.bot.domain.components.component import Component, RenderContext, component_types

REFRESH_VERB = "refresh"
ACTION_VERB = "action"


class ButtonPurpose(StrEnum):
    """What a click does."""

    REFRESH = "refresh"
    ACTION = "action"


class ButtonConfig(BaseModel):
    """One button."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1, max_length=80, pattern=r"\S", description="What the button says")
    emoji: Emoji = Field("", description="An emoji in front, such as 🔄 or <:name:123456789012345678>; empty for none")
    style: ButtonStyle = Field(ButtonStyle.SECONDARY, description="primary, secondary, success or danger")
    do: ButtonPurpose = Field(
        ButtonPurpose.REFRESH, description="refresh: read the data sources again; action: run an action"
    )
    action: str = Field(
        "", max_length=MAX_ACTION_NAME, description="Name of the action to run, where the button runs one"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values of the action's parameters; the user is asked for those that are not set here",
    )

    @model_validator(mode="after")
    def _action_where_needed(self) -> ButtonConfig:
        if self.do is ButtonPurpose.ACTION and not self.action.strip():
            raise ValueError("action is missing: name the action that the button runs, or set do to refresh")
        if self.do is ButtonPurpose.REFRESH and self.action:
            raise ValueError("action has no effect on a refresh button: empty it, or set do to action")
        if self.do is ButtonPurpose.REFRESH and self.parameters:
            raise ValueError("parameters have no effect on a refresh button: remove them, or set do to action")
        return self

    @property
    def call(self) -> ActionCall | None:
        """What a click runs; None for a refresh."""
        return ActionCall(self.action, self.parameters) if self.do is ButtonPurpose.ACTION else None


@component_types.register("buttons")
class ButtonsComponent(Component, title="Buttons"):
    """Buttons that refresh the dashboard or run actions."""

    buttons: list[ButtonConfig] = Field(min_length=1, max_length=25, description="The buttons, five in a row")

    @model_validator(mode="after")
    def _each_once(self) -> ButtonsComponent:
        seen: set[str] = set()
        for position, button in enumerate(self.buttons, start=1):
            what = f"the action “{button.action}”" if button.action else "refresh"
            key = button.call.key if button.call is not None else ""
            if key in seen:
                raise ValueError(f"button {position} does the same as another ({what}); remove one of them")
            seen.add(key)
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Rows of five buttons; what a click does stands in the custom_id."""
        rows = self._rows.get(context.component_id)
        if rows is None:
            buttons = tuple(_button(button, context) for button in self.buttons)
            starts = range(0, len(buttons), MAX_BUTTONS_IN_ROW)
            rows = tuple(Buttons(buttons[start : start + MAX_BUTTONS_IN_ROW]) for start in starts)
            self._rows[context.component_id] = rows
        return rows

    def calls(self, _context: RenderContext) -> Iterator[ButtonCall]:
        """Yield the calls of the buttons that run actions."""
        yield from (ButtonCall(button.call) for button in self.buttons if button.call is not None)

    @cached_property
    def _rows(self) -> dict[int, tuple[Block, ...]]:
        """The rows by the component's id: no reading changes them."""
        return {}


def _button(config: ButtonConfig, context: RenderContext) -> Button:
    call = config.call
    custom_id = context.custom_id(REFRESH_VERB) if call is None else context.custom_id(ACTION_VERB, call.key)
    return Button(config.label, custom_id=custom_id, style=config.style, emoji=config.emoji or None)

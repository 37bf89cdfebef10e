"""The section component."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.actions.action import MAX_ACTION_NAME, ActionCall, ButtonCall
from app.bot.domain.blocks.addresses import checked_address, is_bare_host
from app.bot.domain.blocks.block import Block, Button, ButtonStyle, Image, Section, Text
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.blocks.limits import MAX_CHARACTERS
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Template, TemplateText
from app.bot.domain.components.types.buttons import ACTION_VERB, REFRESH_VERB
from app.bot.domain.components.types.image import DESCRIPTION_LIMIT, IMAGE_ADDRESS_LIMIT
from app.bot.domain.components.types.links import LINK_ADDRESS_LIMIT
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten, shorten_markdown

MAX_TEXTS = 3
"""Texts of one section, Discord's limit (API description, SectionComponentForMessageRequest)."""


class SectionPurpose(StrEnum):
    """What a click on the button does."""

    REFRESH = "refresh"
    ACTION = "action"
    OPEN = "open"


class SectionButton(BaseModel):
    """The button at the right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1, max_length=80, pattern=r"\S", description="What the button says")
    emoji: Emoji = Field("", description="An emoji in front, such as 🔄; empty for none")
    style: ButtonStyle = Field(ButtonStyle.SECONDARY, description="primary, secondary, success or danger")
    do: SectionPurpose = Field(
        SectionPurpose.REFRESH,
        description="refresh: read the data sources again; action: run an action; open: open an address",
    )
    action: str = Field(
        "", max_length=MAX_ACTION_NAME, description="Name of the action to run, where the button runs one"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values of the action's parameters; the user is asked for those that are not set here",
    )
    url: TemplateText = Field(
        "", max_length=4_000, description="The address to open, where the button opens one; a Jinja2 template"
    )

    @model_validator(mode="after")
    def _complete(self) -> SectionButton:
        if self.do is SectionPurpose.ACTION and not self.action.strip():
            raise ValueError("action is missing: name the action that the button runs, or set do to refresh")
        if self.do is SectionPurpose.OPEN and not self.url.strip():
            raise ValueError("url is missing: give the address to open, or set do to refresh")
        return self

    @property
    def call(self) -> ActionCall | None:
        """Return what a click runs; None where it runs nothing."""
        return ActionCall(self.action, self.parameters) if self.do is SectionPurpose.ACTION else None


class Thumbnail(BaseModel):
    """The small picture at the right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: TemplateText = Field(
        min_length=1,
        max_length=4_000,
        description="Address of the picture, a Jinja2 template; https, and reachable by Discord's servers",
    )
    description: Template = Field("", description="What is to be seen, for people who cannot; a Jinja2 template")


@component_types.register("section")
class SectionComponent(Component, title="Section"):
    """One to three texts with a button or a small picture at their right."""

    texts: list[Template] = Field(
        min_length=1,
        max_length=MAX_TEXTS,
        description="The texts, Jinja2 templates; one that prints nothing is left out",
    )
    button: SectionButton | None = Field(None, description="The button at the right")
    thumbnail: Thumbnail | None = Field(None, description="Or: the small picture at the right")

    @model_validator(mode="after")
    def _not_both(self) -> SectionComponent:
        if self.button is not None and self.thumbnail is not None:
            raise ValueError("thumbnail and button cannot stand in one place: remove one of them")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return a section; plain texts where there is nothing at their right, which Discord's sections need."""
        room = MAX_CHARACTERS // len(self.texts)
        printed = (shorten_markdown(context.text(text).strip(), room) for text in self.texts)
        texts = tuple(Text(text) for text in printed if text)
        accessory = self._accessory(context)
        if not texts or accessory is None:
            return texts
        return (Section(texts, accessory),)

    def calls(self, _context: RenderContext) -> tuple[ButtonCall, ...]:
        """Return the call of the button, if it runs an action."""
        call = self.button.call if self.button is not None else None
        return (ButtonCall(call),) if call is not None else ()

    def _accessory(self, context: RenderContext) -> Button | Image | None:
        if self.thumbnail is not None:
            address = _address(context, self.thumbnail.url, "thumbnail.url", ("https",), IMAGE_ADDRESS_LIMIT)
            description = shorten(one_line(context.plain(self.thumbnail.description)), DESCRIPTION_LIMIT)
            return Image(address, description or None)
        return _button(context, self.button) if self.button is not None else None


def _button(context: RenderContext, config: SectionButton) -> Button:
    emoji = config.emoji or None
    if config.do is SectionPurpose.OPEN:
        address = _address(context, config.url, "button.url", ("https", "http"), LINK_ADDRESS_LIMIT)
        if is_bare_host(address):
            shown = shorten(address, 100)
            raise InvalidConfigError(
                f"button.url: Discord has no button for “{shown}”. Write a name with a dot, or an IP address"
            )
        return Button(config.label, url=address, emoji=emoji)
    call = config.call
    custom_id = context.custom_id(REFRESH_VERB) if call is None else context.custom_id(ACTION_VERB, call.key)
    return Button(config.label, custom_id=custom_id, style=config.style, emoji=emoji)


def _address(context: RenderContext, template: str, field: str, schemes: tuple[str, ...], limit: int) -> str:
    address = context.plain(template).strip()
    problem = checked_address(address, schemes, limit)
    if problem:
        raise InvalidConfigError(f"{field}: {problem}. The template gave “{shorten(one_line(address), 100)}”")
    return address

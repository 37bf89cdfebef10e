"""The page select component."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.blocks.block import Block, Button, Buttons, ButtonStyle, Option, Select
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Scope
from app.bot.domain.formatting.markdown import shorten

PAGE_VERB = "page"
OWN_PAGE_VERB = "own_page"
"""The same for the user alone who clicks."""

_BUTTONS_IN_A_ROW = 5
_BUTTON_LABEL = 80
_BUTTON_PAGE = 70
"""Characters of a page's name that surely fit into the custom_id of a button."""


class PageStyle(StrEnum):
    """How the pages are offered."""

    SELECT = "select"
    BUTTONS = "buttons"


class PageOption(BaseModel):
    """One page to choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: str = Field(
        min_length=1, max_length=100, pattern=r"\S", description="Name of the page, as the components of it say"
    )
    label: str = Field("", max_length=100, description="Name to show; empty shows the page's own name")
    description: str = Field("", max_length=100, description="A small line below the name; empty for none")
    emoji: Emoji = Field("", description="An emoji in front, such as 💾; empty for none")


@component_types.register("page_select")
class PageSelect(Component, title="Page select"):
    """A drop-down, or a row of buttons, that switches between the pages of the dashboard."""

    options: list[PageOption] = Field(min_length=1, max_length=25, description="The pages to choose from")
    placeholder: str = Field("Choose a page", max_length=150, description="Shown while no page is chosen")
    style: PageStyle = Field(
        PageStyle.SELECT, description="select: a drop-down; buttons: tabs, with the page that is shown highlighted"
    )
    scope: Scope = Field(
        Scope.SHARED,
        description="shared: the message changes for everyone; personal: who chooses gets a view of their own",
    )

    @model_validator(mode="after")
    def _each_page_once(self) -> PageSelect:
        pages = [option.page for option in self.options]
        twice = next((page for page in pages if pages.count(page) > 1), None)
        if twice is not None:
            raise ValueError(f"options has the page “{twice}” twice; remove one of them")
        long = next((page for page in pages if len(page) > _BUTTON_PAGE), None)
        if long is not None and self.style is PageStyle.BUTTONS:
            raise ValueError(f"options has a page with more than {_BUTTON_PAGE} characters; no button can carry that")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the select or the buttons, with the page that is shown marked as chosen."""
        verb = PAGE_VERB if self.scope is Scope.SHARED else OWN_PAGE_VERB
        if self.style is PageStyle.BUTTONS:
            buttons = [self._button(context, verb, option) for option in self.options]
            rows = range(0, len(buttons), _BUTTONS_IN_A_ROW)
            return tuple(Buttons(tuple(buttons[start : start + _BUTTONS_IN_A_ROW])) for start in rows)
        options = tuple(
            Option(
                option.label.strip() or option.page,
                option.page,
                option.description.strip() or None,
                option.emoji or None,
                selected=option.page == context.page,
            )
            for option in self.options
        )
        return (Select(context.custom_id(verb), options, self.placeholder.strip() or None),)

    def _button(self, context: RenderContext, verb: str, option: PageOption) -> Button:
        style = ButtonStyle.PRIMARY if option.page == context.page else ButtonStyle.SECONDARY
        label = shorten(option.label.strip() or option.page, _BUTTON_LABEL)
        return Button(label, custom_id=context.custom_id(verb, option.page), style=style, emoji=option.emoji or None)

"""The page select component."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.blocks import Block, Option, Select
from app.bot.domain.component import Component, RenderContext, component_types
from app.bot.domain.emoji import Emoji

PAGE_VERB = "page"


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
class PageSelect(Component):
    """A drop-down that switches between the pages of the dashboard."""

    options: list[PageOption] = Field(min_length=1, max_length=25, description="The pages to choose from")
    placeholder: str = Field("Choose a page", max_length=150, description="Shown while no page is chosen")

    @model_validator(mode="after")
    def _each_page_once(self) -> PageSelect:
        pages = [option.page for option in self.options]
        twice = next((page for page in pages if pages.count(page) > 1), None)
        if twice is not None:
            raise ValueError(f"options has the page “{twice}” twice; remove one of them")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """The select, with the page that is shown marked as chosen."""
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
        return (Select(context.custom_id(PAGE_VERB), options, self.placeholder.strip() or None),)

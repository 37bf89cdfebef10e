"""The heading component."""

from __future__ import annotations

from enum import IntEnum

from app.bot.domain.blocks import Block, Text
from app.bot.domain.component import Component, RenderContext, component_types
from pydantic import Field


class HeadingSize(IntEnum):
    """Discord's three sizes of headings."""

    LARGE = 1
    MEDIUM = 2
    SMALL = 3


@component_types.register("heading")
class Heading(Component):
    """A large line of text."""

    text: str = Field(min_length=1, max_length=1_000, description="The text, a Jinja2 template")
    size: HeadingSize = Field(HeadingSize.MEDIUM, description="1 large, 2 medium, 3 small")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """One line; a template's line breaks become spaces, for a heading ends with its line."""
        line = " ".join(context.text(self.text).split())
        return (Text(f"{'#' * self.size} {line}"),) if line else ()

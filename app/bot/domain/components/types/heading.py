"""The heading component."""

from __future__ import annotations

from enum import IntEnum

from pydantic import Field

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Template, TemplateText
from app.bot.domain.components.lines import detail_text
from app.bot.domain.formatting.markdown import one_line, shorten

HEADING_LIMIT = 250


class HeadingSize(IntEnum):
    """Discord's three sizes of headings."""

    LARGE = 1
    MEDIUM = 2
    SMALL = 3


@component_types.register("heading")
class Heading(Component, title="Heading"):
    """A large line of text."""

    text: TemplateText = Field(min_length=1, max_length=1_000, description="The text, a Jinja2 template")
    size: HeadingSize = Field(HeadingSize.MEDIUM, description="1 large, 2 medium, 3 small")
    subtitle: Template = Field("", description="A small line below it, a Jinja2 template; empty for none")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """One line; a template's line breaks become spaces, for a heading ends with its line."""
        line = shorten(one_line(context.text(self.text)), HEADING_LIMIT)
        subtitle = detail_text(context, self.subtitle)
        lines = [f"{'#' * self.size} {line}"] if line else []
        if subtitle:
            lines.append(f"-# {subtitle}")
        return (Text("\n".join(lines)),) if lines else ()

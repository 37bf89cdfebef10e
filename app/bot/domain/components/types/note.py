"""The note component."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.blocks.limits import MAX_CHARACTERS
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.formatting.markdown import shorten_markdown


@component_types.register("note")
class Note(Component, title="Note"):
    """Markdown exactly as it is written: no template, so braces stay braces."""

    text: str = Field(min_length=1, max_length=4_000, description="Discord's Markdown, as it stands")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the text; nothing where it is blank."""
        text = self.text.strip()
        return (Text(shorten_markdown(text, MAX_CHARACTERS)),) if text else ()

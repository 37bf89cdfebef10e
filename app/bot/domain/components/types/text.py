"""The text component."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.blocks.limits import MAX_CHARACTERS
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import TemplateText
from app.bot.domain.formatting.markdown import code_block, shorten_markdown


class TextStyle(StrEnum):
    """How the text is set."""

    NORMAL = "normal"
    SMALL = "small"
    QUOTE = "quote"
    CODE = "code"


_LINE_STARTS = {TextStyle.SMALL: "-# ", TextStyle.QUOTE: "> "}


@component_types.register("text")
class TextComponent(Component, title="Text"):
    """Any text, with Discord's Markdown and values from data sources."""

    text: TemplateText = Field(
        min_length=1, max_length=4_000, description="A Jinja2 template, such as Load {{ metric('host', 'load.1') }}"
    )
    style: TextStyle = Field(TextStyle.NORMAL, description="normal, small (grey), quote, or code (monospaced)")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the text; nothing at all where the template prints nothing."""
        if self.style is TextStyle.CODE:
            text = context.plain(self.text).strip("\n")
            return (Text(shorten_markdown(code_block(text), MAX_CHARACTERS)),) if text.strip() else ()
        text = context.text(self.text).strip()
        if self.style is not TextStyle.NORMAL:
            start = _LINE_STARTS[self.style]
            text = "\n".join(start + line for line in text.splitlines() if line.strip())
        return (Text(shorten_markdown(text, MAX_CHARACTERS)),) if text else ()

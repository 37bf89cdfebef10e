"""The links component."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.blocks.addresses import checked_address, is_bare_host
from app.bot.domain.blocks.block import Block, Button, Buttons, Text
from app.bot.domain.blocks.emoji import Emoji
from app.bot.domain.blocks.limits import MAX_BUTTONS_IN_ROW, fit_lines
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import TemplateText
from app.bot.domain.components.lines import name_text
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import inline_code, one_line, shorten

LINK_ADDRESS_LIMIT = 512
"""Characters of a button's address, Discord's limit (API description, ButtonComponentForMessageRequest)."""


class Link(BaseModel):
    """One link."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1, max_length=80, pattern=r"\S", description="Name to show")
    url: TemplateText = Field(
        min_length=1, max_length=4_000, description="Address with https:// or http://, a Jinja2 template"
    )
    emoji: Emoji = Field("", description="An emoji in front, such as 📺 or <:plex:123456789012345678>; empty for none")


@component_types.register("links")
class Links(Component, title="Links"):
    """Buttons that open pages."""

    links: list[Link] = Field(min_length=1, max_length=25, description="The links")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Rows of buttons, and a text with the addresses that Discord takes no button for.

        Raises InvalidConfigError when a template gives no address.
        """
        buttons: list[Button] = []
        lines: list[str] = []
        for position, link in enumerate(self.links, start=1):
            address = context.plain(link.url).strip()
            problem = checked_address(address, ("https", "http"), LINK_ADDRESS_LIMIT)
            if problem:
                shown = shorten(one_line(address), 100)
                raise InvalidConfigError(f"links.{position}.url: {problem}. The template gave “{shown}”")
            if is_bare_host(address):
                lines.append(f"{link.emoji} **{name_text(link.label)}** {inline_code(address)}".lstrip())
            else:
                buttons.append(Button(link.label, url=address, emoji=link.emoji or None))
        starts = range(0, len(buttons), MAX_BUTTONS_IN_ROW)
        rows: tuple[Block, ...] = tuple(Buttons(tuple(buttons[start : start + MAX_BUTTONS_IN_ROW])) for start in starts)
        return (Text(fit_lines(lines)), *rows) if lines else rows

"""The image component."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.blocks.addresses import checked_address
from app.bot.domain.blocks.block import Block, Gallery, Image
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Template, TemplateText
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten

IMAGE_ADDRESS_LIMIT = 2_048
DESCRIPTION_LIMIT = 1_024
"""Characters of an alternative text, Discord's limit (API description, MediaGalleryItemRequest)."""


@component_types.register("image")
class ImageComponent(Component, title="Image"):
    """A picture from the web."""

    url: TemplateText = Field(
        min_length=1,
        max_length=4_000,
        description="Address of the picture, a Jinja2 template; https, and reachable by Discord's servers",
    )
    description: Template = Field("", description="What is to be seen, for people who cannot; a Jinja2 template")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the picture. Raises InvalidConfigError when the template gives no https address."""
        address = context.plain(self.url).strip()
        problem = checked_address(address, ("https",), IMAGE_ADDRESS_LIMIT)
        if problem:
            raise InvalidConfigError(f"url: {problem}. The template gave “{shorten(one_line(address), 100)}”")
        description = shorten(one_line(context.plain(self.description)), DESCRIPTION_LIMIT) if self.description else ""
        return (Gallery((Image(address, description or None),)),)

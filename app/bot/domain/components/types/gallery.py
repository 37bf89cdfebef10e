"""The gallery component."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.blocks.addresses import checked_address
from app.bot.domain.blocks.block import Block, Gallery, Image
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Label, TemplateText, Title
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.components.types.image import DESCRIPTION_LIMIT, IMAGE_ADDRESS_LIMIT
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.items import value_at, value_text

MAX_IMAGES = 10
"""Of one gallery (documentation, component reference)."""


class GalleryImage(BaseModel):
    """One picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: TemplateText = Field(
        min_length=1, max_length=2_000, description="Address of the picture, a Jinja2 template; https"
    )
    caption: Label = Field("", description="What is to be seen")


@component_types.register("gallery")
class GalleryComponent(Component, title="Gallery"):
    """Pictures from the web side by side: fixed ones, or those of a source's items."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    images: list[GalleryImage] = Field(default_factory=list, max_length=MAX_IMAGES, description="The pictures")
    source: str = Field("", max_length=200, description="Or: the data source whose items have pictures")
    items: str = Field("", max_length=100, description="Name of that source's list of items")
    url_field: str = Field("image", max_length=100, description="Field of an item with the address of its picture")
    caption_field: str = Field("title", max_length=100, description="Field with what is to be seen; empty for none")
    limit: int = Field(4, ge=1, le=MAX_IMAGES, description="Pictures of items shown at most")

    @model_validator(mode="after")
    def _one_origin(self) -> GalleryComponent:
        if bool(self.images) == bool(self.source):
            raise ValueError("fill in either images, or source and items")
        if bool(self.source) != bool(self.items):
            raise ValueError("source and items belong together: fill in both")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the pictures. An item without a usable address is left out; a fixed one raises InvalidConfigError."""
        title = text_of(title_lines(context, self.title))
        images = tuple(self._of_items(context) if self.source else self._fixed(context))
        return (*title, Gallery(images)) if images else (*title, *text_of(["-# No pictures"]))

    def _fixed(self, context: RenderContext) -> Iterator[Image]:
        for position, image in enumerate(self.images):
            address = context.plain(image.url).strip()
            problem = checked_address(address, ("https",), IMAGE_ADDRESS_LIMIT)
            if problem:
                shown = shorten(one_line(address), 100)
                raise InvalidConfigError(f"images.{position}.url: {problem}. The template gave “{shown}”")
            yield Image(address, one_line(image.caption).strip() or None)

    def _of_items(self, context: RenderContext) -> Iterator[Image]:
        left = self.limit
        for item in context.reading(self.source).items.get(self.items, ()):
            address = str(value_at(item, self.url_field) or "")
            if left and checked_address(address, ("https",), IMAGE_ADDRESS_LIMIT) is None:
                caption = value_text(value_at(item, self.caption_field), missing="") if self.caption_field else ""
                yield Image(address, shorten(caption, DESCRIPTION_LIMIT) or None)
                left -= 1

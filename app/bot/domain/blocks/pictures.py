"""The files that a message needs."""

from __future__ import annotations

from collections.abc import Iterator

from app.bot.domain.blocks.block import Block, Container, Gallery, Image, Section, View
from app.bot.domain.charts.chart import Picture


def pictures_of(view: View) -> tuple[Picture, ...]:
    """Return the attached pictures of one message, in the order in which it shows them, each once."""
    images = (image for block in view.blocks for image in _images(block))
    return tuple(dict.fromkeys(image.picture for image in images if image.picture is not None))


def _images(block: Block) -> Iterator[Image]:
    match block:
        case Gallery():
            yield from block.images
        case Section(accessory=Image() as image):
            yield image
        case Container():
            for child in block.children:
                yield from _images(child)

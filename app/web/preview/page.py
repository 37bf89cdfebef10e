"""What the templates need to draw blocks as a message in Discord (templates/preview)."""

from __future__ import annotations

from base64 import b64encode

from jinja2 import Environment

from app.bot.domain.blocks import Block, Image
from app.bot.domain.limits import problem_text, stamp_text
from app.bot.domain.markdown import unescape_markdown
from app.web.preview.markdown import relative_time, to_html


def add_filters(environment: Environment) -> None:
    """Make the filters known."""
    environment.filters["discord"] = to_html
    environment.filters["discord_line"] = unescape_markdown
    environment.filters["problem_text"] = problem_text
    environment.filters["stamp_text"] = stamp_text
    environment.filters["block_kind"] = _kind
    environment.filters["colour"] = _colour
    environment.filters["image_address"] = _image_address
    environment.globals["relative_time"] = relative_time


def _kind(block: Block) -> str:
    return type(block).__name__


def _image_address(image: Image) -> str:
    """Where a browser finds the picture: an attached one is in the page itself, so any process can serve that."""
    if image.picture is None:
        return image.url
    return f"data:image/png;base64,{b64encode(image.picture.png).decode()}"


def _colour(accent: int) -> str:
    return f"#{accent:06x}"

"""What the templates need to draw blocks as a message in Discord (templates/preview)."""

from __future__ import annotations

from base64 import b64encode

from jinja2 import Environment

from app.bot.domain.blocks.block import Block, Image
from app.bot.domain.blocks.custom_id import CustomId
from app.bot.domain.blocks.limits import problem_text, stamp_text
from app.bot.domain.components.types.page_select import OWN_PAGE_VERB, PAGE_VERB
from app.bot.domain.components.types.variable_select import OWN_VARIABLE_VERB, VARIABLE_VERB
from app.bot.domain.formatting.markdown import unescape_markdown
from app.web.preview.builder import VARIABLE_PREFIX
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
    environment.filters["switch"] = _switch
    environment.globals["relative_time"] = relative_time


def _kind(block: Block) -> str:
    return type(block).__name__


def _image_address(image: Image) -> str:
    """Where a browser finds the picture: an attached one is in the page itself, so any process can serve that."""
    if image.picture is None:
        return image.url
    return f"data:image/png;base64,{b64encode(image.picture.png).decode()}"


def _switch(custom_id: str | None) -> str:
    """Return what of the preview a button or select chooses, by the name in its address; empty for nothing of it."""
    click = CustomId.parse(custom_id or "")
    if click is None:
        return ""
    if click.verb in (PAGE_VERB, OWN_PAGE_VERB):
        return "page"
    return VARIABLE_PREFIX + click.argument if click.verb in (VARIABLE_VERB, OWN_VARIABLE_VERB) else ""


def _colour(accent: int) -> str:
    return f"#{accent:06x}"

"""Discord's limits of one message, and what becomes of a view that goes over them.

Source: Discord's documentation of Components V2 (40 components counted through all nesting, 4,000 characters over all
text displays) and of uploads (10 files a message, 10 MiB each where no boost raises it).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.bot.domain.blocks.block import (
    Block,
    Buttons,
    Container,
    Gallery,
    Image,
    Problem,
    Section,
    Select,
    Separator,
    Stamp,
    Text,
    View,
)
from app.bot.domain.formatting.markdown import shorten, shorten_markdown

MAX_COMPONENTS = 40
MAX_CHARACTERS = 4_000
MAX_FILES = 10
MAX_FILE_BYTES = 10 * 2**20
MAX_IMAGES_IN_GALLERY = 10
MAX_BUTTONS_IN_ROW = 5
_NOTICE_CHARACTERS = 200
"""Kept free for the notice that says what was left out."""


def component_count(block: Block) -> int:
    """How many of Discord's components a block becomes, itself included."""
    match block:
        case Text() | Separator() | Problem() | Stamp() | Gallery():
            return 1
        case Buttons():
            return 1 + len(block.buttons)
        case Select():
            return 2
        case Section():
            return 2 + len(block.texts)
        case Container():
            return 1 + sum(component_count(child) for child in block.children)


def character_count(block: Block) -> int:
    """How many characters of text a block takes from the message's 4,000."""
    match block:
        case Text():
            return len(block.text) or 1  # Discord takes no empty text: a zero-width space stands for it
        case Separator() | Buttons() | Select() | Gallery():
            return 0
        case Section():
            return sum(len(text.text) or 1 for text in block.texts)
        case Container():
            return sum(character_count(child) for child in block.children)
        case Problem():
            return len(problem_text(block))
        case Stamp():
            return len(stamp_text(block))


def file_count(block: Block) -> int:
    """How many files a block brings along: its pictures that are not shown by an address of the web."""
    match block:
        case Gallery():
            return sum(image.picture is not None for image in block.images)
        case Section():
            return int(isinstance(block.accessory, Image) and block.accessory.picture is not None)
        case Container():
            return sum(file_count(child) for child in block.children)
        case _:
            return 0


def problem_text(problem: Problem) -> str:
    """How a problem reads, in Markdown; title and detail are escaped already."""
    return f"⚠️ **{shorten(problem.title, 100)}**\n-# {shorten(problem.detail, 300)}"


def stamp_text(stamp: Stamp) -> str:
    """Return a stamp in Markdown, with Discord's relative timestamp."""
    return f"-# {stamp.label} <t:{int(stamp.at.timestamp())}:R>"


def fit_lines(lines: Sequence[str], limit: int = MAX_CHARACTERS) -> str:
    """Return the leading lines that fit into `limit` characters, and a last one that counts those left out."""
    kept: list[str] = []
    left = limit
    for index, line in enumerate(lines):
        notice = f"-# … and {len(lines) - index} more"
        last = index == len(lines) - 1
        if len(line) + (0 if last else len(notice) + 2) > left:
            return "\n".join([*kept, notice]) if kept else shorten_markdown(line, limit)
        kept.append(line)
        left -= len(line) + 1
    return "\n".join(kept)


def fit(blocks: Iterable[Block], reserved_components: int = 0) -> tuple[tuple[Block, ...], int]:
    """Return the leading blocks that fit one message beside `reserved_components`, and how many were left out.

    A text too long for what is left is shortened; a block that does not fit ends the message, so the order is kept.
    """
    kept = list(blocks)
    components = MAX_COMPONENTS - reserved_components - 1
    characters = MAX_CHARACTERS - _NOTICE_CHARACTERS
    for index, block in enumerate(kept):
        if isinstance(block, Text):
            size = len(block.text)
            if 0 < characters < size:
                kept[index] = shorter = Text(shorten_markdown(block.text, characters))
                size = len(shorter.text)
            components -= 1
            characters -= size
        else:
            components -= component_count(block)
            characters -= character_count(block)
        if components < 0 or characters < 0:
            return tuple(kept[:index]), len(kept) - index
    return tuple(kept), 0


def exceeds(view: View) -> bool:
    """Whether a view is more than one message can hold."""
    return (
        sum(component_count(block) for block in view.blocks) > MAX_COMPONENTS
        or sum(character_count(block) for block in view.blocks) > MAX_CHARACTERS
        or sum(file_count(block) for block in view.blocks) > MAX_FILES
    )

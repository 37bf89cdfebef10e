"""Pieces of the lines that components are written in."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.blocks.limits import fit_lines
from app.bot.domain.components.component import RenderContext
from app.bot.domain.formatting.markdown import SafeText, escape_markdown, one_line, shorten
from app.bot.domain.readings.thresholds import Level

TITLE_LIMIT = 200
DETAIL_LIMIT = 300
NAME_LIMIT = 80


@functools.lru_cache(maxsize=4_096)
def name_text(text: str) -> SafeText:
    """Return a name from outside as one short, escaped piece of a line.

    Names are the same at nearly every rendering, so the newest few thousand are remembered.
    """
    return escape_markdown(shorten(one_line(text), NAME_LIMIT))


def title_lines(context: RenderContext, title: str, summary: str = "") -> list[str]:
    """Return the bold line above a component, with a summary behind it; no line where there is neither."""
    text = shorten(one_line(context.text(title)), TITLE_LIMIT) if title else ""
    parts = [f"**{text}**"] if text else []
    if summary:
        parts.append(summary)
    return [" · ".join(parts)] if parts else []


def detail_text(context: RenderContext, template: str) -> str:
    """Return what a detail's template prints, as one piece of a line; empty where there is nothing."""
    return shorten(one_line(context.text(template)), DETAIL_LIMIT) if template else ""


def mark_of(level: Level) -> str:
    """Return the level's coloured dot with a space behind it."""
    return f"{level.mark} "


def text_of(lines: Sequence[str]) -> tuple[Block, ...]:
    """Return the lines as one text that fits a message; no block where there is no line."""
    return (Text(fit_lines(lines)),) if lines else ()

"""The log tail component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import FieldPath, Title
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.formatting.monospace import cut
from app.bot.domain.readings.items import value_at
from app.bot.domain.readings.moments import moment_of
from app.bot.domain.readings.reading import Status

_LEVEL_COLOURS = {"debug": "30", "info": "34", "notice": "36", "warning": "33", "error": "31", "critical": "31"}
"""ANSI codes that Discord shows in blocks of the language ansi."""
_LEVELS = {"warn": "warning", "err": "error", "fatal": "critical", "crit": "critical", "trace": "debug"}
_ORDER = tuple(_LEVEL_COLOURS)
_MESSAGE_LIMIT = 400


@component_types.register("log_tail")
class LogTail(Component, title="Log tail"):
    """The last lines of a log that a data source gives as items, the newest at the bottom."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    source: str = Field(min_length=1, max_length=200, description="Name of the data source")
    items: str = Field("lines", min_length=1, max_length=100, description="Name of its list of lines")
    message_field: FieldPath = Field("message", description="Field of a line that holds its text")
    time_field: str = Field("time", max_length=100, description="Field with its time; empty shows none")
    level_field: str = Field("level", max_length=100, description="Field with its level, such as warning; empty: none")
    minimum_level: str = Field(
        "",
        pattern="^(|debug|info|notice|warning|error|critical)$",
        description="Leave out what is less; empty: nothing",
    )
    contains: str = Field("", max_length=100, description="Show only lines with this text, in any case")
    lines: int = Field(10, ge=1, le=30, description="Lines shown at most")
    width: int = Field(60, ge=20, le=120, description="Characters of a line; a phone shows about 44")
    colours: bool = Field(False, description="Colour the lines by their level; phones show no colours")
    empty: str = Field("No lines", max_length=200, description="Shown where there are none")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return a monospaced block with `12:31 Redis server went away` for each line."""
        title = title_lines(context, self.title)
        reading = context.reading(self.source)
        shown: list[str] = []
        for item in reversed(reading.items.get(self.items, ())):
            if len(shown) == self.lines:
                break
            if self._is_wanted(item):
                shown.append(self._line(context, item))
        if not shown:
            reason = reading.message if reading.status is not Status.UP else ""
            return text_of([*title, f"-# {escape_markdown(shorten(one_line(reason or self.empty), 200)) or '…'}"])
        language = "ansi\n" if self.colours else "\n"
        return text_of([*title, f"```{language}" + "\n".join(reversed(shown)) + "\n```"])

    def _is_wanted(self, item: Mapping[str, Any]) -> bool:
        if self.minimum_level and _ORDER.index(self._level(item) or "info") < _ORDER.index(self.minimum_level):
            return False
        return self.contains.casefold() in self._message(item).casefold()

    def _line(self, context: RenderContext, item: Mapping[str, Any]) -> str:
        moment = moment_of(value_at(item, self.time_field)) if self.time_field else None
        time = f"{context.region.local(moment):%H:%M} " if moment is not None else ""
        # Three backticks would end the block, an escape would colour what follows: neither can stand in data.
        text = cut(time + one_line(self._message(item)).replace("`", "´"), self.width)
        colour = _LEVEL_COLOURS.get(self._level(item)) if self.colours else None
        return f"\x1b[0;{colour}m{text}\x1b[0m" if colour is not None else text

    def _message(self, item: Mapping[str, Any]) -> str:
        return str(value_at(item, self.message_field) or "")[:_MESSAGE_LIMIT]

    def _level(self, item: Mapping[str, Any]) -> str:
        word = str(value_at(item, self.level_field) or "").strip().casefold()[:20] if self.level_field else ""
        return _LEVELS.get(word, word if word in _LEVEL_COLOURS else "")

"""The service grid component."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import FieldPath, Title
from app.bot.domain.components.lines import mark_of, text_of, title_lines
from app.bot.domain.components.source_entry import SourceEntry
from app.bot.domain.components.types.status_list import status_of_word
from app.bot.domain.formatting.markdown import inline_code
from app.bot.domain.formatting.monospace import cut, padded
from app.bot.domain.readings.items import value_at, value_text
from app.bot.domain.readings.reading import Status
from app.bot.domain.readings.thresholds import STATUS_LEVELS

_PHONE_WIDTH = 36
"""Characters of a line that a phone shows beside the marks of two columns."""


@component_types.register("service_grid")
class ServiceGrid(Component, title="Service grid"):
    """Many services in little space: a coloured dot and a name for each, in columns."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    entries: list[SourceEntry] = Field(default_factory=list, max_length=60, description="The data sources to show")
    source: str = Field("", max_length=200, description="Or: the data source whose items to show")
    items: str = Field("", max_length=100, description="Name of that source's list of items, such as containers")
    name_field: FieldPath = Field("name", description="Field of an item that holds its name")
    status_field: FieldPath = Field("status", description="Field of an item that holds its status")
    states: dict[str, Status] = Field(
        default_factory=dict, max_length=50, description="What words in the status field mean, for unusual words"
    )
    columns: int = Field(2, ge=1, le=4, description="How many side by side; a phone has room for two")
    worst_first: bool = Field(False, description="Put what is down first")
    summary: bool = Field(True, description="Say in the title how many are up")
    limit: int = Field(40, ge=1, le=60, description="How many are shown at most")

    @model_validator(mode="after")
    def _one_origin(self) -> ServiceGrid:
        if bool(self.entries) == bool(self.source):
            raise ValueError("fill in either entries, or source and items")
        if bool(self.source) != bool(self.items):
            raise ValueError("source and items belong together: fill in both")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Rows of `🟢 name` with names of the same width, so that columns stand below each other."""
        entries = list(self._entries(context))
        if self.worst_first:
            entries.sort(key=lambda entry: -entry[1].severity)
        up = sum(status is Status.UP for _, status in entries)
        lines = title_lines(context, self.title, f"{up} of {len(entries)} up" if self.summary and entries else "")
        shown = entries[: self.limit]
        width = max(6, _PHONE_WIDTH // self.columns)
        cells = [
            mark_of(STATUS_LEVELS[status]) + inline_code(padded(cut(value_text(name, missing="?"), width), width))
            for name, status in shown
        ]
        lines += [" ".join(cells[start : start + self.columns]) for start in range(0, len(cells), self.columns)]
        if len(entries) > len(shown):
            lines.append(f"-# … and {len(entries) - len(shown)} more")
        return text_of(lines or ["-# Nothing to show"])

    def _entries(self, context: RenderContext) -> Iterator[tuple[Any, Status]]:
        for entry in self.entries:
            yield entry.name_shown(context), context.reading(entry.source).status
        if self.source:
            reading = context.reading(self.source)
            for item in reading.items.get(self.items, ()):
                status = status_of_word(value_at(item, self.status_field), self.states)
                context.statuses.append(status)
                yield value_at(item, self.name_field), status

"""The top list component."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import Decimals, FieldPath, Title, UnitName
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.formatting.markdown import code_block, escape_markdown, one_line, shorten
from app.bot.domain.formatting.monospace import cut, display_width, padded
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.items import as_number, value_at, value_text

_NAME_WIDTH, _LONGEST_VALUE = 18, 14
_FULL, _EMPTY = "█", "░"


@component_types.register("top_list")
class TopList(Component, title="Top list"):
    """The largest (or smallest) of many: items of a source by a field, or a metric by its labels, with small bars."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    source: str = Field(min_length=1, max_length=200, description="Name of the data source")
    items: str = Field("", max_length=100, description="Name of its list of items, such as containers")
    name_field: FieldPath = Field("name", description="Field of an item that holds its name")
    value_field: str = Field("", max_length=100, description="Field of an item to compare, such as cpu")
    metric: str = Field("", max_length=200, description="Or: a metric that comes with several labels, such as load")
    label_name: str = Field("", max_length=100, description="The label that names each; empty shows all of them")
    unit: UnitName = Field("", description="Unit such as bytes or percent; empty keeps the source's own")
    decimals: Decimals | None = Field(None, description="Digits behind the point; empty lets the unit choose")
    limit: int = Field(5, ge=1, le=20, description="How many are shown")
    smallest: bool = Field(False, description="Show the smallest instead of the largest")
    bar_width: int = Field(8, ge=0, le=16, description="Characters of a bar; 0 for none")
    empty: str = Field("Nothing to show", max_length=200, description="Shown where there is nothing")

    @model_validator(mode="after")
    def _one_origin(self) -> TopList:
        if bool(self.items) == bool(self.metric):
            raise ValueError("fill in either items with value_field, or metric")
        if bool(self.items) != bool(self.value_field):
            raise ValueError("items and value_field belong together: fill in both")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`minecraft ████████ 38 %` for each, the first one's bar full."""
        lines = title_lines(context, self.title)
        choose = heapq.nsmallest if self.smallest else heapq.nlargest
        found = choose(self.limit, self._values(context), key=lambda entry: entry[1])
        if not found:
            return text_of([*lines, f"-# {escape_markdown(shorten(one_line(self.empty), 200)) or '…'}"])
        largest = max(abs(value) for _, value, _ in found) or 1.0
        names = [cut(value_text(name, missing="?"), _NAME_WIDTH) for name, _, _ in found]
        width = max(map(display_width, names))
        rows = []
        for name, (_, value, unit) in zip(names, found, strict=True):
            filled = round(abs(value) / largest * self.bar_width)
            bar = _FULL * filled + _EMPTY * (self.bar_width - filled)
            shown = cut(format_value(value, self.unit or unit, self.decimals), _LONGEST_VALUE)
            rows.append(" ".join(part for part in (padded(name, width), bar, shown) if part))
        return text_of([*lines, code_block("\n".join(rows))])

    def _values(self, context: RenderContext) -> Iterator[tuple[Any, float, str]]:
        if self.items:
            for item in context.reading(self.source).items.get(self.items, ()):
                value = as_number(value_at(item, self.value_field))
                if value is not None and value == value and abs(value) != float("inf"):  # noqa: PLR0124  # not NaN
                    yield value_at(item, self.name_field), value, ""
            return
        reference = MetricReference.model_construct(source=self.source, metric=self.metric, labels={})
        for metric in context.metrics(reference):
            if metric.value is not None:
                name = metric.labels.get(self.label_name) if self.label_name else ", ".join(metric.labels.values())
                yield name or metric.name, metric.value, metric.unit

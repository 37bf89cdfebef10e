"""The table component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Decimals, FieldPath, Title, UnitName
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.components.value_mappings import Mappings, find_mapping
from app.bot.domain.formatting.markdown import code_block, escape_markdown, one_line, shorten
from app.bot.domain.formatting.monospace import cut, display_width, padded
from app.bot.domain.readings.items import as_number, equal_values, sort_key, value_at, value_text
from app.bot.domain.readings.reading import Status

MISSING_CELL = "–"
"""A value that is missing: “no data” would cost a narrow table its width."""

GAP = "  "


class Align(StrEnum):
    """At which side of its column a value stands."""

    AUTO = "auto"
    LEFT = "left"
    RIGHT = "right"


class Column(BaseModel):
    """One column of a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: FieldPath = Field(description="Field of an item, such as name or state.health")
    header: str = Field("", max_length=40, description="Text at the top; empty shows the field's name")
    unit: UnitName = Field("", description="Unit such as bytes or percent; empty shows the value as it is")
    decimals: Decimals | None = Field(None, description="Digits behind the point; empty lets the unit choose")
    mappings: Mappings = Field(default_factory=list, description="Words and marks for certain values")
    align: Align = Field(Align.AUTO, description="left, right, or auto: numbers at the right")

    def cell(self, context: RenderContext, value: Any) -> str:
        """Return what stands in the column for a value."""
        mapping = find_mapping(self.mappings, value, context) if self.mappings else None
        if mapping is None:
            return value_text(value, self.unit, self.decimals, MISSING_CELL)
        return mapping.plain_mark + (
            one_line(mapping.text) or value_text(value, self.unit, self.decimals, MISSING_CELL)
        )


@component_types.register("table")
class Table(Component, title="Table"):
    """The items of a data source in rows and columns."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    source: str = Field(min_length=1, max_length=200, description="Name of the data source")
    items: str = Field(min_length=1, max_length=100, description="Name of its list of items, such as processes")
    columns: list[Column] = Field(min_length=1, max_length=8, description="The columns, from left to right")
    where: dict[str, str | int | float | bool] = Field(
        default_factory=dict, max_length=10, description="Show only items whose fields have these values"
    )
    sort_by: str = Field("", max_length=100, description="Field to sort by; empty keeps the source's order")
    descending: bool = Field(False, description="Sort the largest first")
    limit: int = Field(10, ge=1, le=30, description="Rows shown at most")
    header: bool = Field(True, description="Show the names of the columns")
    width: int = Field(44, ge=24, le=80, description="Characters of a row at most; a phone shows about 44")
    empty: str = Field("Nothing to show", max_length=200, description="Shown instead of a table without rows")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return a monospaced block, narrow enough for a phone."""
        title = title_lines(context, self.title)
        reading = context.reading(self.source)
        items = self._chosen(reading.items.get(self.items, ()))
        if not items:
            reason = reading.message if reading.status is not Status.UP else ""
            note = escape_markdown(shorten(one_line(reason or self.empty), 200))
            return text_of([*title, *([f"-# {note}"] if note else [])])
        shown = items[: self.limit]
        lines = [*title, code_block("\n".join(self._rows(context, shown)))]
        if len(items) > len(shown):
            lines.append(f"-# {len(shown)} of {len(items)}")
        return text_of(lines)

    def _chosen(self, items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        wanted = self.where.items()
        chosen = [item for item in items if all(equal_values(value_at(item, path), value) for path, value in wanted)]
        if self.sort_by:
            known = [item for item in chosen if value_at(item, self.sort_by) is not None]
            missing = [item for item in chosen if value_at(item, self.sort_by) is None]
            known.sort(key=lambda item: sort_key(value_at(item, self.sort_by)), reverse=self.descending)
            chosen = known + missing
        return chosen

    def _rows(self, context: RenderContext, items: Sequence[Mapping[str, Any]]) -> list[str]:
        values = [[value_at(item, column.field) for column in self.columns] for item in items]
        cells = [
            [column.cell(context, value) for value, column in zip(row, self.columns, strict=True)] for row in values
        ]
        right = [self._at_right(position, values) for position in range(len(self.columns))]
        if self.header:
            cells.insert(0, [one_line(column.header or column.field) for column in self.columns])
        widths = _fitted([max(map(display_width, column)) for column in zip(*cells, strict=True)], self.width)
        return [
            GAP.join(
                padded(cut(cell, width), width, at_right)
                for cell, width, at_right in zip(row, widths, right, strict=True)
            ).rstrip()
            for row in cells
        ]

    def _at_right(self, position: int, rows: Sequence[Sequence[Any]]) -> bool:
        align = self.columns[position].align
        if align is not Align.AUTO:
            return align is Align.RIGHT
        known = [row[position] for row in rows if row[position] is not None]
        return bool(known) and all(as_number(value) is not None for value in known)


def _fitted(widths: Sequence[int], limit: int) -> list[int]:
    """Return the columns' widths, the widest one made narrower until the row fits."""
    fitted = [max(width, 1) for width in widths]
    room = max(limit - len(GAP) * (len(fitted) - 1), len(fitted))
    while sum(fitted) > room:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted

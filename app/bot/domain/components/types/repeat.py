"""The repeat component."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field, model_validator

from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block, Separator, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Condition, Title
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.components.nesting import Body, nested_calls, render_nested
from app.bot.domain.components.types.status_list import STATUS_LIMIT, WORDS
from app.bot.domain.errors import ExpressionFailedError
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.readings.items import sort_key, value_at
from app.bot.domain.readings.reading import MAX_ITEMS, Reading, Status

MAX_REPEATED = 25
_RESERVED = frozenset({"dashboard", "variables", "metric", "status", "message", "items", "now", "params", "in", "as"})


@component_types.register("repeat")
class Repeat(Component, title="Repeat"):
    """The same components for each of many: the items of a data source, a fixed list, or the values of a variable."""

    source: str = Field("", max_length=200, description="The data source whose items to repeat over")
    items: str = Field("", max_length=100, description="Name of that source's list of items, such as containers")
    values: list[Any] = Field(default_factory=list, max_length=100, description="Or: a fixed list of values")
    variable: str = Field("", max_length=100, description="Or: a variable of the dashboard; each of its values")
    item_name: str = Field(
        "item",
        alias="as",
        pattern=r"^[a-z][a-z0-9_]{0,29}$",
        description="What the children call one of them: ${item.name} in settings, {{ item.name }} in texts",
    )
    where: Condition = Field("", description="A CEL condition on each, such as item.cpu > 80.0; empty: all of them")
    status_field: str = Field(
        "", max_length=100, description="Field that holds a status: it counts for the colour of the frame; empty: none"
    )
    sort_by: str = Field("", max_length=100, description="Field to sort by; empty keeps the order")
    descending: bool = Field(False, description="Largest first")
    limit: int = Field(10, ge=1, le=MAX_REPEATED, description="How many are shown at most")
    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    empty: str = Field("Nothing to show", max_length=200, description="Shown where there are none; empty: nothing")
    separator: bool = Field(False, description="A line between one and the next")
    children: Body = Field(min_length=1, description="What is shown for each")

    @model_validator(mode="after")
    def _one_origin(self) -> Repeat:
        if bool(self.source) != bool(self.items):
            raise ValueError("source and items belong together: fill in both")
        if bool(self.source) + bool(self.values) + bool(self.variable) > 1:
            raise ValueError("values, variable, and source with items exclude each other: keep one of them")
        if self.item_name in _RESERVED:
            raise ValueError(f"as cannot be “{self.item_name}”, which has a meaning already")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the children for each, in order. Raises ExpressionFailedError for a condition that never works."""
        chosen, problem = self._chosen(context)
        blocks: list[Block] = list(text_of(title_lines(context, self.title)))
        for position, item in enumerate(chosen[: self.limit]):
            self._count_status(context, item)
            made = render_nested(context, self.children, {self.item_name: item})
            if position and self.separator and made:
                blocks.append(Separator())
            blocks += made
        note = f"… and {len(chosen) - self.limit} more" if len(chosen) > self.limit else ""
        if not chosen:
            note = problem or self.empty
        return (*blocks, Text(f"-# {escape_markdown(note)}")) if note else tuple(blocks)

    def calls(self, context: RenderContext) -> Iterator[ButtonCall]:
        """Yield the calls of the children, for each. Raises ExpressionFailedError."""
        chosen, _ = self._chosen(context)
        for item in chosen[: self.limit]:
            yield from nested_calls(context, self.children, {self.item_name: item})

    def _chosen(self, context: RenderContext) -> tuple[list[Any], str]:
        """All that fit, in order, and why there may be none. Raises ExpressionFailedError."""
        found, problem = self._found(context)
        return self._sorted(self._matching(context, found[:MAX_ITEMS])), problem

    def _count_status(self, context: RenderContext, item: Any) -> None:
        if self.status_field:
            word = str(_field(item, self.status_field))[:STATUS_LIMIT].strip().casefold()
            context.statuses.append(WORDS.get(word, Status.UNKNOWN))

    def _found(self, context: RenderContext) -> tuple[Sequence[Any], str]:
        """Return what to repeat over, and why there may be nothing."""
        if not self.source:
            return (_variable_values(context, self.variable) if self.variable else self.values), ""
        reading: Reading = context.reading(self.source)
        reason = reading.message if reading.status is not Status.UP else ""
        return reading.items.get(self.items, ()), shorten(one_line(reason), 200)

    def _matching(self, context: RenderContext, found: Sequence[Any]) -> list[Any]:
        """Those for which the condition holds. One that lacks what the condition asks for is not among them."""
        if not self.where:
            return list(found)
        chosen: list[Any] = []
        failure: ExpressionFailedError | None = None
        failed = 0
        needed = _needed_fields(self.where, self.item_name)
        for item in found:
            try:
                if context.test(self.where, **{self.item_name: _only(item, needed)}):
                    chosen.append(item)
            except ExpressionFailedError as error:
                failure, failed = error, failed + 1
        if failure is not None and failed == len(found):
            raise failure
        return chosen

    def _sorted(self, chosen: list[Any]) -> list[Any]:
        """In the wanted order; those without the field last."""
        if not self.sort_by:
            return chosen
        keyed = [(_field(item, self.sort_by), item) for item in chosen]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: sort_key(pair[0]), reverse=self.descending)
        return [item for _, item in known] + [item for value, item in keyed if value is None]


def _variable_values(context: RenderContext, name: str) -> Sequence[Any]:
    value = value_at(context.variables, name)
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _field(item: Any, path: str) -> Any:
    return value_at(item, path) if isinstance(item, Mapping) else item


def _needed_fields(condition: str, name: str) -> frozenset[str] | None:
    """Return the item's fields that a condition can read; None where that is not plain to see."""
    mentions = len(re.findall(rf"\b{name}\b", condition))
    fields = re.findall(rf"\b{name}\.([A-Za-z_]\w*)", condition)
    return frozenset(fields) if len(fields) == mentions else None


def _only(item: Any, fields: frozenset[str] | None) -> Any:
    """Return the item with only these fields: handing a large one to CEL takes longer than the condition itself."""
    if fields is None or not isinstance(item, Mapping):
        return item
    return {name: item[name] for name in fields if name in item}

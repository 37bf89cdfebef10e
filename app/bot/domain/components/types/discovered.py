"""The discovered component."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from app.bot.domain.blocks.addresses import checked_address
from app.bot.domain.blocks.block import Block
from app.bot.domain.blocks.emoji import is_emoji
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Title
from app.bot.domain.components.lines import mark_of, name_text, text_of, title_lines
from app.bot.domain.components.types.status_list import DETAIL_LIMIT, status_of_word
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.readings.discovery import rows_for
from app.bot.domain.readings.items import as_number, value_text
from app.bot.domain.readings.reading import Status
from app.bot.domain.readings.thresholds import STATUS_LEVELS

_ADDRESS_LIMIT = 512


@component_types.register("discovered")
class Discovered(Component, title="Discovered"):
    """What adds itself to a dashboard: containers by their labels, and whatever else data sources offer.

    Every dashboard shows it at its end, unless one of its components is of this type.
    """

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    dashboard: str = Field("", max_length=200, description="The dashboard's name that they give; empty: this dashboard")
    limit: int = Field(40, ge=1, le=60, description="How many are shown at most")
    empty: str = Field("", max_length=200, description="Shown where there are none; empty: nothing")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`🟢 🛒 **Shop** · unhealthy` for each, below the name of its group; no block where there is nothing."""
        wanted = self.dashboard or str(context.dashboard.get("name", ""))
        rows: list[Mapping[str, Any]] = []
        lines: list[str] = []
        for source in context.readings.offering(wanted):
            reading = context.reading(source)
            rows += rows_for(reading, wanted)
            if reading.status is Status.DOWN:
                name, reason = name_text(context.readings.title(source)), shorten(one_line(reading.message), 200)
                lines.append(f"{mark_of(STATUS_LEVELS[Status.DOWN])}**{name}** · {escape_markdown(reason)}")
        rows.sort(key=_place)
        lines += _grouped(context, rows[: self.limit])
        if len(rows) > self.limit:
            lines.append(f"-# … and {len(rows) - self.limit} more")
        if not lines:
            return text_of([f"-# {escape_markdown(one_line(self.empty))}"]) if self.empty else ()
        return text_of([*title_lines(context, self.title), *lines])


def _grouped(context: RenderContext, rows: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines, with that of a group before the first of it; groups stand where their first entry does."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(_group(row), []).append(row)
    for group, members in sorted(groups.items(), key=lambda entry: bool(entry[0])):  # those without a group first
        if group:
            yield f"**{name_text(group)}**"
        for row in members:
            status = status_of_word(row.get("status"), {})
            context.statuses.append(status)
            yield _line(row, status)


def _line(row: Mapping[str, Any], status: Status) -> str:
    icon, url = str(row.get("icon") or ""), str(row.get("url") or "")
    name = f"**{name_text(value_text(row.get('name')))}**"
    usable = checked_address(url, ("https", "http"), _ADDRESS_LIMIT) is None and not set(url) & set("<>()")
    detail = escape_markdown(shorten(value_text(row.get("detail"), missing=""), DETAIL_LIMIT))
    mark = mark_of(STATUS_LEVELS[status]) + (f"{icon} " if is_emoji(icon) else "")
    return mark + (f"[{name}](<{url}>)" if url and usable else name) + (f" · {detail}" if detail else "")


def _group(row: Mapping[str, Any]) -> str:
    return value_text(row.get("group"), missing="")


def _place(row: Mapping[str, Any]) -> tuple[float, str]:
    """By the order that it asks for, then by its name."""
    order = as_number(row.get("order"))
    known = order is not None and not math.isnan(order)
    return (order if known and order is not None else math.inf, value_text(row.get("name")).casefold())

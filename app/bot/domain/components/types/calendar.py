"""The calendar component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from pydantic import Field

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import FieldPath, Title
from app.bot.domain.components.lines import name_text, text_of, title_lines
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.readings.items import value_at, value_text
from app.bot.domain.readings.moments import moment_of, stamp_of
from app.bot.domain.readings.reading import Status

_PLACE_LIMIT = 60


@dataclass(frozen=True, slots=True)
class _Event:
    title: Any
    place: Any
    starts: datetime
    ends: datetime
    all_day: bool


@component_types.register("calendar")
class Calendar(Component, title="Calendar"):
    """The next events of a source, by day, in the server's time zone; what is on now is marked."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    source: str = Field(min_length=1, max_length=200, description="Name of the data source, such as a calendar")
    items: str = Field("events", min_length=1, max_length=100, description="Name of its list of events")
    title_field: FieldPath = Field("title", description="Field of an event that holds its name")
    starts_field: FieldPath = Field("starts", description="Field with its beginning: ISO 8601, or seconds since 1970")
    ends_field: FieldPath = Field("ends", description="Field with its end")
    all_day_field: FieldPath = Field("all_day", description="Field that says whether it lasts whole days")
    place_field: str = Field("location", max_length=100, description="Field with its place; empty for none")
    days: int = Field(7, ge=1, le=60, description="How many days ahead")
    limit: int = Field(10, ge=1, le=30, description="Events shown at most")
    empty: str = Field("Nothing planned", max_length=200, description="Shown when there is no event")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`**Today** · 23 Nov` and below `18:30 Dinner · Kitchen` for each event."""
        reading = context.reading(self.source)
        lines = title_lines(context, self.title)
        events = sorted(self._events(context, reading.items.get(self.items, ())), key=lambda event: event.starts)
        for day, of_day in groupby(events[: self.limit], lambda event: self._day(context, event)):
            lines.append(f"**{_day_name(context, day)}**")
            lines += [self._line(context, event) for event in of_day]
        if len(events) > self.limit:
            lines.append(f"-# … and {len(events) - self.limit} more")
        if not events:
            reason = reading.message if reading.status is not Status.UP else ""
            lines.append(f"-# {escape_markdown(shorten(one_line(reason or self.empty), 200)) or '…'}")
        return text_of(lines)

    def _events(self, context: RenderContext, items: Sequence[Mapping[str, Any]]) -> Iterator[_Event]:
        last = context.now + timedelta(days=self.days)
        for item in items:
            starts = moment_of(value_at(item, self.starts_field))
            if starts is None:
                continue
            all_day = bool(value_at(item, self.all_day_field))
            ends = moment_of(value_at(item, self.ends_field))
            if ends is None or ends < starts:
                ends = starts + timedelta(days=1) if all_day else starts
            if starts < last and max(ends, starts + timedelta(minutes=1)) > context.now:
                place = value_at(item, self.place_field) if self.place_field else None
                yield _Event(value_at(item, self.title_field), place, starts, ends, all_day)

    def _day(self, context: RenderContext, event: _Event) -> datetime:
        """Midnight of the day under which an event stands: today for what began earlier."""
        moment = max(event.starts, context.now)
        # A whole day is that day everywhere; only its date counts, whatever zone the source wrote it in.
        local = event.starts if event.all_day and event.starts >= context.now else context.region.local(moment)
        return local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def _line(self, context: RenderContext, event: _Event) -> str:
        running = event.starts <= context.now < event.ends
        if event.all_day:
            when = "all day"
        elif running:
            when = f"until {stamp_of(event.ends, 't')}"
        else:
            when = stamp_of(event.starts, "t")
        place = escape_markdown(shorten(value_text(event.place, missing=""), _PLACE_LIMIT))
        mark = "🔵 " if running else ""
        return f"{mark}{when} · {name_text(value_text(event.title, missing='(no title)'))}" + (
            f" · {place}" if place else ""
        )


def _day_name(context: RenderContext, day: datetime) -> str:
    today = context.region.local(context.now).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    date = escape_markdown(context.region.forms.date(day, "date", "medium"))
    name = {0: "Today", 1: "Tomorrow"}.get((day - today).days, f"{day:%A}")
    return f"{name} · {date}"

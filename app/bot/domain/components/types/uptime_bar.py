"""The uptime bar component."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from app.bot.domain.blocks.block import Block, Gallery, Image, Text
from app.bot.domain.charts.chart import ChartRequest
from app.bot.domain.charts.plot import clean_label
from app.bot.domain.charts.theme import Theme
from app.bot.domain.charts.uptime import UptimeRow, uptime_bars
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Title
from app.bot.domain.components.lines import mark_of, name_text, title_lines
from app.bot.domain.components.source_entry import SourceEntry
from app.bot.domain.components.types.sparkline import draw
from app.bot.domain.formatting.markdown import escape_markdown, inline_code
from app.bot.domain.formatting.spans import TimeSpan, seconds_of, span_name
from app.bot.domain.readings.history import Aggregate, History, HistoryQuery
from app.bot.domain.readings.reading import Status
from app.bot.domain.readings.thresholds import STATUS_LEVELS

UP = "up"
"""The metric of every source in history: 1 while it is up, 0 while it is down."""
_TEXT_SEGMENTS = 30
"""Characters of a bar of text: a phone shows about 44."""
LOADING = "-# Loading the history …"


@component_types.register("uptime_bar")
class UptimeBar(Component, title="Uptime bar"):
    """How reliably data sources were up, as status pages show it: a bar of segments and the share of the time."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    entries: list[SourceEntry] = Field(min_length=1, max_length=10, description="The data sources")
    range: TimeSpan = Field("90d", description="How far back, such as 90d or 24h")
    segments: int = Field(90, ge=10, le=120, description="Segments of a bar")
    style: Literal["picture", "text"] = Field("picture", description="A picture in colour, or a bar of characters")
    theme: Theme = Field(Theme.DARK, description="Colours that suit Discord's dark or light side")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the title, and for each source its name, how long it was up, and the bar."""
        statuses = [context.reading(entry.source).status for entry in self.entries]
        title = title_lines(context, self.title)
        histories = [context.history(self._query(entry)) for entry in self.entries]
        known = [history for history in histories if history is not None]
        if len(known) < len(histories):
            return (Text("\n".join([*title, LOADING])),)
        rows = [
            _row(context, entry.name_shown(context), history)
            for entry, history in zip(self.entries, known, strict=True)
        ]
        if self.style == "text":
            return (Text("\n".join([*title, *self._lines(statuses, rows)])),)
        first = f"{span_name(self.range)} ago"
        specification = uptime_bars(
            [UptimeRow(clean_label(row.name), row.text, row.shares) for row in rows], self.theme, first, "now"
        )
        description = "; ".join(f"{row.name}: {row.text}" for row in rows)[:500]
        picture = context.picture(ChartRequest(json.dumps(specification), description))
        text = (Text("\n".join(title)),) if title else ()
        if picture is None:
            return (*text, Text(LOADING))
        return (*text, Gallery((Image.of(picture, description),)))

    def _query(self, entry: SourceEntry) -> HistoryQuery:
        seconds = seconds_of(self.range)
        step = max(seconds / self.segments, 10.0)
        return HistoryQuery(entry.source, UP, (), seconds, step, Aggregate.UP)

    def _lines(self, statuses: Sequence[Status], rows: Sequence[UptimeRow]) -> list[str]:
        lines = []
        for status, row in zip(statuses, rows, strict=True):
            mark = mark_of(STATUS_LEVELS[status])
            lines.append(f"{mark}**{name_text(row.name)}** · {escape_markdown(row.text)}")
            lines.append(inline_code(draw(_merged(row.shares, _TEXT_SEGMENTS), 0.0, 1.0)))
        return [*lines, f"-# The last {span_name(self.range)}"]


def _row(context: RenderContext, name: str, history: History) -> UptimeRow:
    values = history.series[0].values if history.series else ()
    known = [value for value in values if value is not None]
    if not known:
        return UptimeRow(name, "no data yet", tuple(values) or (None,) * 10)
    share = sum(known) / len(known)
    digits = 2 if share < 1 else 0
    # 99.996 % is not 100 %: what was down once is never shown as if it never was.
    shown = min(share * 100, 99.99) if share < 1 else 100.0
    return UptimeRow(name, f"{context.region.forms.number(f'{shown:.{digits}f}')} %", values)


def _merged(shares: Sequence[float | None], count: int) -> list[float | None]:
    """At most so many segments: neighbours together are as bad as the worst of them."""
    width = -(-len(shares) // count)
    parts = [shares[start : start + width] for start in range(0, len(shares), width)]
    return [min((share for share in part if share is not None), default=None) for part in parts]

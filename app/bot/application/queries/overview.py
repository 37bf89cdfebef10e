"""The lab at a glance, as blocks: what /status, /sources and /dashboard list answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.bot.application.rendering.answers import card
from app.bot.application.rendering.builder import pages_of
from app.bot.domain.blocks.block import Block, Separator, Text, View
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import Placement, PostState
from app.bot.domain.formatting.markdown import SafeText, escape_markdown, shorten
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.domain.readings.thresholds import STATUS_LEVELS, worst

_REASON_CHARACTERS = 120
_MAX_DOWN = 15
_LINES_PER_TEXT = 10

SourceReading = tuple[DataSource, Reading]


@dataclass(frozen=True, slots=True)
class BotCondition:
    """How the bot itself is doing. `latency_seconds` None while the gateway has not answered yet."""

    started_at: datetime
    latency_seconds: float | None
    dashboards: int
    messages: int


def status_view(sources: Sequence[SourceReading], bot: BotCondition) -> View:
    """Return the worst status, how many sources have each, the reasons of what is not well, and the bot itself."""
    enabled = [(source, reading) for source, reading in sources if source.enabled]
    level = worst(STATUS_LEVELS[reading.status] for _, reading in enabled)
    counts = Counter(reading.status for _, reading in enabled)
    blocks: list[Block] = [Text(f"## {level.mark} {_headline(counts)}")]
    if enabled:
        parts = (f"{STATUS_LEVELS[status].mark} {counts[status]} {status.value}" for status in Status if counts[status])
        blocks.append(Text("  ".join(parts)))
    else:
        blocks.append(Text("No data sources yet. Add some in the web admin."))
    blocks.extend(_unwell(enabled))
    latency = "unknown" if bot.latency_seconds is None else format_value(bot.latency_seconds, "seconds")
    blocks += [
        Separator(),
        Text(
            f"-# {_counted(bot.dashboards, 'dashboard')} in {_counted(bot.messages, 'message')}"
            f" · latency {latency} · up since <t:{int(bot.started_at.timestamp())}:R>"
        ),
    ]
    return card(blocks, level.accent)


def sources_view(sources: Sequence[SourceReading]) -> View:
    """Every source with its status, the age of its reading and what is wrong with it."""
    if not sources:
        return card((Text("## Data sources"), Text("None yet. Add some in the web admin.")))
    ranked = sorted(sources, key=lambda pair: (-pair[1].status.severity, pair[0].label.casefold()))
    lines = [_source_line(source, reading) for source, reading in ranked]
    return card((Text("## Data sources"), *_paragraphs(lines)))


def source_view(source: DataSource, reading: Reading) -> View:
    """One source with the metrics of its newest reading."""
    level = STATUS_LEVELS[reading.status]
    blocks: list[Block] = [Text(f"## {level.mark} {_plain(source.label)}"), Text(_reading_line(source, reading))]
    lines = [_metric_line(metric) for metric in reading.metrics]
    lines += [f"{_plain(name)}: {_counted(len(rows), 'row')}" for name, rows in sorted(reading.items.items())]
    if lines:
        blocks += [Separator(), *_paragraphs(lines)]
    return card(blocks, level.accent)


def dashboards_view(dashboards: Sequence[tuple[Dashboard, Sequence[Placement]]]) -> View:
    """Every dashboard with its description, its pages and where it is shown."""
    if not dashboards:
        return card((Text("## Dashboards"), Text("None here yet. Make one in the web admin.")))
    lines = [_dashboard_lines(dashboard, placements) for dashboard, placements in dashboards]
    return card((Text("## Dashboards"), *(Text(line) for line in lines)))


def _headline(counts: Counter[Status]) -> str:
    if not counts:
        return "Nothing is watched"
    if counts[Status.DOWN]:
        return f"{_counted(counts[Status.DOWN], 'source')} down"
    if counts[Status.DEGRADED]:
        return f"{_counted(counts[Status.DEGRADED], 'source')} degraded"
    return "Waiting for readings" if counts[Status.UNKNOWN] else "All is well"


def _unwell(sources: Iterable[SourceReading]) -> list[Block]:
    unwell = [pair for pair in sources if pair[1].status in (Status.DOWN, Status.DEGRADED)]
    unwell.sort(key=lambda pair: (-pair[1].status.severity, pair[0].label.casefold()))
    lines = [_source_line(source, reading) for source, reading in unwell[:_MAX_DOWN]]
    if len(unwell) > _MAX_DOWN:
        lines.append(f"-# and {len(unwell) - _MAX_DOWN} more, see /sources")
    return [Separator(), *_paragraphs(lines)] if lines else []


def _source_line(source: DataSource, reading: Reading) -> str:
    return f"{STATUS_LEVELS[reading.status].mark} **{_plain(source.label)}** {_reading_line(source, reading)}"


def _reading_line(source: DataSource, reading: Reading) -> str:
    if not source.enabled:
        return "switched off"
    age = "" if reading.status is Status.UNKNOWN else f" <t:{int(reading.taken_at.timestamp())}:R>"
    reason = f": {_plain(reading.message, _REASON_CHARACTERS)}" if reading.message else ""
    return f"{reading.status.value}{age}{reason}"


def _metric_line(metric: Metric) -> str:
    labels = ", ".join(f"{key} {value}" for key, value in sorted(metric.labels.items()))
    name = f"{metric.name} ({labels})" if labels else metric.name
    return f"{_plain(name)}: **{_plain(format_value(metric.value, metric.unit))}**"


def _dashboard_lines(dashboard: Dashboard, placements: Sequence[Placement]) -> str:
    title = f"**{_plain(dashboard.name)}**" + ("" if dashboard.enabled else " (switched off)")
    description = f"\n{_plain(dashboard.description, 200)}" if dashboard.description else ""
    shown = sorted({place.channel_id for place in placements if place.posted_count})
    where = "shown in " + ", ".join(f"<#{channel}>" for channel in shown) if shown else "not shown in a channel"
    failed = [
        (place.channel_id, message.error)
        for place in placements
        for message in place.messages
        if message.state == PostState.FAILED and message.error
    ]
    trouble = "".join(f"\n-# ⚠️ <#{channel_id}>: {_plain(error, 200)}" for channel_id, error in failed)
    pages = pages_of(dashboard)
    count = f" · {_counted(len(pages), 'page')}" if pages else ""
    return f"{title}{description}\n-# {where}{count}{trouble}"


def _paragraphs(lines: Sequence[str]) -> list[Text]:
    """Lines as few texts, each short enough that a message that is full loses little of the list."""
    return [Text("\n".join(lines[start : start + _LINES_PER_TEXT])) for start in range(0, len(lines), _LINES_PER_TEXT)]


def _plain(text: str, limit: int = 100) -> SafeText:
    """Text from outside on one line: shortened, then escaped."""
    return escape_markdown(shorten(" ".join(text.split()), limit))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

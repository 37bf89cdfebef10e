"""The status list component."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import FieldPath, Label, Title
from app.bot.domain.components.lines import mark_of, name_text, text_of, title_lines
from app.bot.domain.components.value_mappings import Mappings, find_mapping
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.items import value_at, value_text
from app.bot.domain.readings.reading import Status
from app.bot.domain.readings.thresholds import STATUS_LEVELS

DETAIL_LIMIT = 100
STATUS_LIMIT = 100
"""Characters of a status that are looked at."""

WORDS: Mapping[str, Status] = {
    **dict.fromkeys(("up", "ok", "healthy", "running", "online", "active", "yes", "true", "1", "pass"), Status.UP),
    **dict.fromkeys(
        ("degraded", "warning", "warn", "paused", "restarting", "starting", "pending", "activating"), Status.DEGRADED
    ),
    **dict.fromkeys(
        (
            "down",
            "unhealthy",
            "exited",
            "dead",
            "failed",
            "offline",
            "error",
            "stopped",
            "inactive",
            "no",
            "false",
            "0",
        ),
        Status.DOWN,
    ),
}
"""What the usual words of an item's status field mean."""


def status_of_word(value: Any, states: Mapping[str, Status]) -> Status:
    """Return what a value of a status field means; `states` says it for unusual words."""
    text = "yes" if value is True else "no" if value is False else str(value)[:STATUS_LIMIT].strip()
    word = text.casefold()
    return states.get(word) or states.get(text) or WORDS.get(word, Status.UNKNOWN)


class StatusStyle(StrEnum):
    """How the entries are set."""

    LINES = "lines"
    COMPACT = "compact"


class StatusEntry(BaseModel):
    """One data source of a status list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(min_length=1, description="Name of the data source")
    label: Label = Field("", description="Name to show; empty shows the source's title")
    metric: str = Field("", max_length=200, description="A metric to show while the source is up, such as http.latency")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that tell metrics of one name apart")
    mappings: Mappings = Field(default_factory=list, description="Words and emoji for certain values of the metric")

    def metric_text(self, context: RenderContext) -> str:
        """Return the metric's value, or what is to be shown for it."""
        metric = context.metric(
            MetricReference.model_construct(source=self.source, metric=self.metric, labels=self.labels)
        )
        shown = format_value(metric.value, metric.unit)
        mapping = find_mapping(self.mappings, metric.value, context)
        return shown if mapping is None else mapping.plain_mark + (one_line(mapping.text) or shown)


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry; name and detail as the source gave them, for most of a long list are never shown."""

    name: Any
    status: Status
    detail: Any


@component_types.register("status_list")
class StatusList(Component, title="Status list"):
    """What is up and what is not: several data sources, or the items of one."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    entries: list[StatusEntry] = Field(default_factory=list, max_length=50, description="The data sources to list")
    source: str = Field("", max_length=200, description="Or: the data source whose items to list")
    items: str = Field("", max_length=100, description="Name of that source's list of items, such as containers")
    name_field: FieldPath = Field("name", description="Field of an item that holds its name")
    status_field: FieldPath = Field("status", description="Field of an item that holds its status")
    detail_field: str = Field("", max_length=100, description="Field of an item to show behind its name")
    states: dict[str, Status] = Field(
        default_factory=dict,
        max_length=50,
        description="What the words in the status field mean, for words other than the usual ones (running, exited)",
    )
    style: StatusStyle = Field(StatusStyle.LINES, description="lines, or compact: all in one paragraph")
    worst_first: bool = Field(False, description="Put what is down at the top")
    summary: bool = Field(True, description="Say in the title how many are up")
    limit: int = Field(25, ge=1, le=50, description="Entries shown at most")

    @model_validator(mode="after")
    def _one_kind_of_entries(self) -> StatusList:
        if bool(self.entries) == bool(self.source):
            raise ValueError("fill in either entries, or source and items")
        if bool(self.source) != bool(self.items):
            raise ValueError("source and items belong together: fill in both")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`🟢 **Web** · 23 ms` for each entry."""
        lines = list(self._items(context) if self.source else self._sources(context))
        if self.worst_first:
            lines.sort(key=lambda line: -line.status.severity)
        up = sum(line.status is Status.UP for line in lines)
        title = title_lines(context, self.title, f"{up} of {len(lines)} up" if self.summary and lines else "")
        shown = [self._entry(line) for line in lines[: self.limit]]
        if self.style is StatusStyle.COMPACT and shown:
            shown = [" \u2002".join(shown)]
        if len(lines) > self.limit:
            shown.append(f"-# … and {len(lines) - self.limit} more")
        return text_of(title + (shown or ["-# Nothing to list"]))

    def _sources(self, context: RenderContext) -> Iterable[_Line]:
        for entry in self.entries:
            reading = context.reading(entry.source)
            detail = reading.message
            if entry.metric and reading.status is Status.UP:
                detail = entry.metric_text(context)
            yield _Line(entry.label or context.readings.title(entry.source), reading.status, detail)

    def _items(self, context: RenderContext) -> Iterable[_Line]:
        reading = context.reading(self.source)
        if self.items not in reading.items and reading.status is not Status.UP:
            yield _Line(context.readings.title(self.source), reading.status, reading.message)
        for item in reading.items.get(self.items, ()):
            status = status_of_word(value_at(item, self.status_field), self.states)
            context.statuses.append(status)
            detail = value_at(item, self.detail_field) if self.detail_field else ""
            yield _Line(value_at(item, self.name_field), status, detail)

    def _entry(self, line: _Line) -> str:
        mark, name = mark_of(STATUS_LEVELS[line.status]), name_text(value_text(line.name))
        if self.style is StatusStyle.COMPACT:
            return f"{mark}{name}"
        detail = escape_markdown(shorten(value_text(line.detail, missing=""), DETAIL_LIMIT))
        return f"{mark}**{name}**" + (f" · {detail}" if detail else "")

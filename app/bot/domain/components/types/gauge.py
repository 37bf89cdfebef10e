"""The gauge component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from pydantic import Field, model_validator

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import Bound, Template
from app.bot.domain.components.lines import detail_text, name_text, text_of
from app.bot.domain.components.metric_display import MetricDisplay
from app.bot.domain.formatting.markdown import inline_code, one_line
from app.bot.domain.formatting.monospace import padded
from app.bot.domain.readings.reading import Metric

FULL, EMPTY = "▰", "▱"
"""Two characters of one width in Discord's fonts, so that bars of one length end at one column."""

MAX_BARS = 30


@component_types.register("gauge")
class Gauge(Component, MetricDisplay, title="Gauge"):
    """A value as a bar between two ends; also one bar for each metric of a name."""

    minimum: Bound = Field(0.0, description="The value of an empty bar")
    maximum: Bound | None = Field(None, description="The value of a full bar; empty: 100, or 1 for the unit ratio")
    maximum_metric: str = Field(
        "",
        max_length=200,
        description="A metric of the same source that gives the value of a full bar, such as memory.total. "
        "The thresholds then count in percent of it",
    )
    each: str = Field(
        "",
        max_length=100,
        description="Draw one bar for every metric of this name, named by this label of theirs, such as mount",
    )
    width: int = Field(10, ge=4, le=24, description="Characters of a bar")
    label_width: int = Field(
        0, ge=0, le=24, description="Pad the name to this many characters, so that bars of several gauges line up"
    )
    detail: Template = Field("", description="More behind the value, a Jinja2 template; empty for none")

    @model_validator(mode="after")
    def _ends_in_order(self) -> Gauge:
        if self.maximum is not None and self.maximum <= self.minimum:
            raise ValueError("maximum must be greater than minimum")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`🟢 **CPU** ▰▰▰▰▱▱▱▱▱▱ 42 %` for each bar."""
        if not self.each:
            metric = context.metric(self)
            full = self._full(context, metric)
            return (Text(self._line(context, metric, full, self._own_name, detail_text(context, self.detail))),)
        metrics = context.metrics(self)[:MAX_BARS]
        fulls = [self._full(context, metric) for metric in metrics]
        names = self._names([metric.labels.get(self.each) or metric.name for metric in metrics])
        detail = detail_text(context, self.detail)
        lines = [self._line(context, *bar, detail) for bar in zip(metrics, fulls, names, strict=True)]
        return text_of(lines or [f"**{self.name_shown}** {self.number_shown(None, '')}"])

    def _full(self, context: RenderContext, metric: Metric) -> float | None:
        """Return the value of a full bar; None when it is missing."""
        if self.maximum_metric:
            labels = dict(metric.labels) if self.each else self.labels
            return context.metric(_reference(self.source, self.maximum_metric, labels)).value
        if self.maximum is not None:
            return self.maximum
        return 1.0 if (self.unit or metric.unit) == "ratio" else 100.0

    def _recent(self, context: RenderContext, metric: Metric) -> Sequence[float | None]:
        """Return the last values that thresholds judged."""
        labels = dict(metric.labels) if self.each else self.labels
        values = context.recent(_reference(self.source, self.metric, labels))
        if not self.maximum_metric:
            return values
        fulls = context.recent(_reference(self.source, self.maximum_metric, labels))
        shares = [_share(value, self.minimum, full) for value, full in zip(values, fulls, strict=False)]
        return [None if share is None else share * 100 for share in shares]

    @cached_property
    def _own_name(self) -> str:
        return self._names([self.label or str(self)])[0]

    def _names(self, names: Sequence[str]) -> Sequence[str]:
        """Bold names; monospaced ones of one width where several bars are to line up."""
        if len(names) < 2 and not self.label_width:
            return [f"**{name_text(name)}**" for name in names]
        plain = [one_line(name) for name in names]
        width = self.label_width or min(max(map(len, plain)), 24)
        return [inline_code(padded(name, width)) for name in plain]

    def _line(self, context: RenderContext, metric: Metric, full: float | None, name: str, detail: str) -> str:
        mapping = self.mapping(context, metric.value)
        shown: str = (mapping.text_shown if mapping is not None else "") or self.value_shown(metric)
        judged: float | None = metric.value
        share = _share(judged, self.minimum, full)
        if self.maximum_metric:
            judged = None if share is None else share * 100
            shown = f"{shown} / {self.number_shown(full, metric.unit)}"
        mark = mapping.mark if mapping is not None else ""
        mark = mark or self.mark_after(judged, lambda: self._recent(context, metric))
        if share is None or share <= 0:
            filled = 0
        elif share >= 1:
            filled = self.width
        else:
            filled = round(share * self.width)
        drawn = self._drawings[filled]
        line = f"{mark}{name} {drawn} {shown}"
        return f"{line} · {detail}" if detail else line

    @cached_property
    def _drawings(self) -> tuple[str, ...]:
        """The bar with none, one, two ... of its characters filled."""
        return tuple([FULL * filled + EMPTY * (self.width - filled) for filled in range(self.width + 1)])


def _reference(source: str, metric: str, labels: Mapping[str, str]) -> MetricReference:
    return MetricReference.model_construct(source=source, metric=metric, labels=dict(labels))


def _share(value: float | None, minimum: float, maximum: float | None) -> float | None:
    """How far a value lies between two ends; None when one of them is missing or they leave nothing between them."""
    if value is None or maximum is None or maximum <= minimum:
        return None
    # Halves, so that the difference of two huge values of a source cannot overflow.
    return (value / 2 - minimum / 2) / (maximum / 2 - minimum / 2)

"""The chart component."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from app.bot.domain.blocks.block import Block, Gallery, Image, Text
from app.bot.domain.charts.chart import ChartRequest
from app.bot.domain.charts.dials import MAX_GAUGES, Share, donut, gauges
from app.bot.domain.charts.heatmap import heatmap
from app.bot.domain.charts.histogram import histogram
from app.bot.domain.charts.plot import MAX_CURVES, MAX_POINTS, Curve, Plot, Style, clean, clean_label, reduced
from app.bot.domain.charts.theme import COLOURS, Spec, Theme
from app.bot.domain.charts.time_axis import zone_of
from app.bot.domain.charts.time_chart import Mark, time_chart
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import Bound, Decimals, Label, Title, UnitName
from app.bot.domain.components.lines import name_text, title_lines
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.formatting.spans import TimeSpan, round_step, seconds_of, span_name
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.history import Aggregate, History, HistoryQuery, SeriesHistory
from app.bot.domain.readings.reading import Metric, MetricKind
from app.bot.domain.readings.thresholds import Level, Thresholds

DRAWING = "-# Drawing the chart …"
MAX_CURRENT = 6
_VALUE_LIMIT = 40
_DESCRIPTION_LIMIT = 500
_STEPS = {"bar": 48, "heatmap": 24 * 31, "histogram": 600}
"""Steps of the whole range where the config does not say how long one is."""
_CURVE_STEPS = 150
_LEAST_STEP_SECONDS = 10.0


class ChartKind(StrEnum):
    """What a chart looks like."""

    LINE = "line"
    AREA = "area"
    BAR = "bar"
    HEATMAP = "heatmap"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"
    DONUT = "donut"


class ChartSeries(MetricReference):
    """A metric to draw. Where several match the labels, each gets a line of its own."""

    label: Label = Field("", description="Name to show; empty shows the metric's own")
    color: str = Field("", pattern=r"^(#[0-9A-Fa-f]{6})?$", description="Colour as #RRGGBB; empty chooses one")
    aggregate: Aggregate | None = Field(
        None, description="What becomes of the values of one step; empty: their mean, or the rate of a counter"
    )

    def aggregate_in(self, context: RenderContext) -> Aggregate:
        """Return the one of the config, or the one that suits the metric."""
        if self.aggregate is not None:
            return self.aggregate
        counts = any(metric.kind is MetricKind.COUNTER for metric in _metrics(context, self))
        return Aggregate.RATE if counts else Aggregate.AVG


@component_types.register("chart")
class Chart(Component, title="Chart"):
    """A picture: the past of metrics as lines, areas, bars, heatmap or histogram, or what is now as gauge or donut."""

    kind: ChartKind = Field(ChartKind.LINE, description="What it looks like")
    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    series: Annotated[list[ChartSeries], Field(min_length=1, max_length=MAX_CURVES)] = Field(
        description="The metrics to draw"
    )
    range: TimeSpan = Field("24h", description="How far back: a number with m, h, d or w, such as 24h or 7d")
    step: TimeSpan | None = Field(None, description="How long one step is, such as 5m; empty fits it to the range")
    stacked: bool = Field(False, description="Areas or bars on top of each other")
    unit: UnitName = Field("", description="Unit such as bytes, percent or seconds; empty keeps the source's own")
    decimals: Decimals | None = Field(None, description="Digits behind the point in texts; empty lets the unit choose")
    minimum: Bound | None = Field(None, description="Value at the lower end; empty fits it to the values")
    maximum: Bound | None = Field(None, description="Value at the upper end; empty fits it, or 100 % for a gauge")
    thresholds: Thresholds = Field(default_factory=Thresholds, description="Values to mark in yellow and red")
    mark_thresholds: Literal["lines", "bands", "both", "none"] = Field(
        "both", description="Draw thresholds as lines, as coloured bands, both, or not at all"
    )
    legend: Literal["auto", "show", "hide"] = Field("auto", description="The names below; auto: for more than one")
    show_current: bool = Field(True, description="Write the newest values above the chart")
    height: int = Field(220, ge=120, le=600, description="Height; a chart is 500 wide")
    theme: Theme = Field(Theme.DARK, description="Colours that suit Discord's dark or light side")
    _drawn: tuple[object, Plot, ChartRequest | None] | None = PrivateAttr(None)
    """What was made last, and of what: between two steps nothing changes, and a dashboard is built often."""

    @model_validator(mode="after")
    def _ends_in_order(self) -> Chart:
        if self.minimum is not None and self.maximum is not None and self.maximum <= self.minimum:
            raise ValueError("maximum must be greater than minimum")
        if self.step is not None and seconds_of(self.step) > seconds_of(self.range):
            raise ValueError("step must not be longer than range")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Title and newest values as text, and the picture. Raises ChartFailedError."""
        if self.kind in (ChartKind.GAUGE, ChartKind.DONUT):
            return _blocks(context, title_lines(context, self.title), self._present(context))
        return _blocks(context, *self._past(context))

    # The past

    def _past(self, context: RenderContext) -> tuple[list[str], ChartRequest | None]:
        aggregates = [series.aggregate_in(context) for series in self.series]
        found = [context.history(self._query(*each)) for each in zip(self.series, aggregates, strict=True)]
        histories = [history for history in found if history is not None]
        title = title_lines(context, self.title)
        if len(histories) < len(found):
            return [*title, DRAWING], None
        made_of = (histories, aggregates, context.region, tuple(title))
        if self._drawn is None or self._drawn[0] != made_of:
            self._drawn = (made_of, *self._draw(context, histories, aggregates))
        _, plot, request = self._drawn
        if self.show_current and plot.curves:
            title.append(self._current(context, plot, aggregates))
        if request is None:
            title.append(f"-# No values in the last {span_name(self.range)} yet.")
        return title, request

    def _draw(
        self, context: RenderContext, histories: Sequence[History], aggregates: Sequence[Aggregate]
    ) -> tuple[Plot, ChartRequest | None]:
        """Return what is to be drawn, and the request for it where there is any value."""
        plot = self._plot(histories, aggregates, context)
        if not plot.values():
            return plot, None
        return plot, self._request(self._spec(plot), self._description(context, plot))

    def _query(self, series: ChartSeries, aggregate: Aggregate) -> HistoryQuery:
        labels = tuple(sorted(series.labels.items()))
        seconds = seconds_of(self.range)
        return HistoryQuery(series.source, series.metric, labels, seconds, self._step_seconds, aggregate)

    @cached_property
    def _step_seconds(self) -> float:
        """As in the config, or one that fits; never so short that there are more points than a chart can show."""
        seconds = seconds_of(self.range)
        if self.kind is ChartKind.HEATMAP:
            return 3_600.0
        steps = min(_STEPS.get(self.kind, _CURVE_STEPS), MAX_POINTS // len(self.series))
        wanted = seconds_of(self.step) if self.step is not None else round_step(seconds / steps)
        return max(wanted, _LEAST_STEP_SECONDS, seconds / (MAX_POINTS // len(self.series)))

    def _plot(self, histories: Sequence[History], aggregates: Sequence[Aggregate], context: RenderContext) -> Plot:
        start, step = min(history.start for history in histories), histories[0].step_seconds
        named = [
            (label, config, _unit(series.unit, aggregate), missing + _whole(series.values, history, aggregate, context))
            for config, history, aggregate in zip(self.series, histories, aggregates, strict=True)
            for missing in [(None,) * round((history.start - start).total_seconds() / step)]
            for series, label in _named(config, history.series)
        ][:MAX_CURVES]
        width = max(1, -(-sum(len(values) for *_, values in named) // MAX_POINTS))
        curves = tuple(
            Curve(label, reduced(clean(values), width), config.color or COLOURS[self.theme].of_series(number))
            for number, (label, config, _, values) in enumerate(named)
        )
        unit = self.unit or next((unit for _, _, unit, _ in named if unit), "")
        return Plot(start, step * width, curves, unit, zone_of(context.region.time_zone))

    def _spec(self, plot: Plot) -> Spec:
        if self.kind is ChartKind.HEATMAP:
            return heatmap(plot, self._style)
        if self.kind is ChartKind.HISTOGRAM:
            return histogram(plot, self._style)
        marks: dict[ChartKind, Mark] = {ChartKind.AREA: "area", ChartKind.BAR: "bar"}
        return time_chart(plot, marks.get(self.kind, "line"), self._style)

    @cached_property
    def _style(self) -> Style:
        return Style(
            theme=self.theme,
            height=self.height,
            minimum=self.minimum,
            maximum=self.maximum,
            thresholds=self.thresholds,
            lines=self.mark_thresholds in ("lines", "both"),
            bands=self.mark_thresholds in ("bands", "both"),
            stacked=self.stacked,
            legend={"auto": None, "show": True, "hide": False}[self.legend],
        )

    def _current(self, context: RenderContext, plot: Plot, aggregates: Sequence[Aggregate]) -> str:
        """Return the newest values in small: the source's own where that is what is drawn, else the last step's."""
        latest: dict[str, float | None] = {}
        for series, aggregate in zip(self.series, aggregates, strict=True):
            if aggregate in (Aggregate.AVG, Aggregate.LAST):
                latest |= {label: metric.value for metric, label in _labelled(series, _metrics(context, series))}
        parts = [
            f"{name_text(curve.label)} **{self._text(latest.get(curve.label, curve.last), plot.unit)}**"
            for curve in plot.curves[:MAX_CURRENT]
        ]
        more = len(plot.curves) - MAX_CURRENT
        return "-# " + " · ".join([*parts, *([f"{more} more"] if more > 0 else [])])

    def _description(self, context: RenderContext, plot: Plot) -> str:
        """For people who cannot see the chart."""
        title = one_line(context.plain(self.title)) if self.title else ""
        values = ", ".join(f"{curve.label} {self._value(curve.last, plot.unit)}" for curve in plot.curves)
        what = f"{self.kind.value} chart of the last {span_name(self.range)}".capitalize()
        return shorten(f"{title + ': ' if title else ''}{what}. Newest values: {values}", _DESCRIPTION_LIMIT)

    # What is now

    def _present(self, context: RenderContext) -> ChartRequest:
        metrics = [
            (metric, label, series)
            for series in self.series
            for metric, label in _labelled(series, context.metrics(series) or (Metric(series.metric, None),))
        ][:MAX_CURVES]
        shares = tuple(
            self._share(metric, label, series, number) for number, (metric, label, series) in enumerate(metrics)
        )
        words = ", ".join(f"{share.label} {share.text}" for share in shares)
        if self.kind is ChartKind.GAUGE:
            ends = [self._ends(metric) for metric, _, _ in metrics[:MAX_GAUGES]]
            limits = [(self._part(value, *ends[0]), colour) for value, colour in self._style.limits()]
            marks = [] if self.thresholds.below or self.mark_thresholds == "none" else limits
            return self._request(gauges(shares, self._style, marks), words)
        known = [metric.value for metric, _, _ in metrics if metric.value is not None and metric.value > 0]
        whole = self._value(sum(min(value, 1e300) for value in known) if known else None, metrics[0][0].unit)
        return self._request(donut(shares, whole, self._style), f"{words}. Together {whole}")

    def _share(self, metric: Metric, label: str, series: ChartSeries, number: int) -> Share:
        colours = COLOURS[self.theme]
        colour = series.color or colours.of_series(number)
        text = self._value(metric.value, metric.unit)
        if self.kind is ChartKind.DONUT:
            value = None if metric.value is None else min(max(metric.value, 0.0), 1e300)
            return Share(label, text, value, colour)
        if self.thresholds.defined and not series.color:
            level = self.thresholds.level(metric.value)
            colour = {Level.WARNING: colours.warning, Level.CRITICAL: colours.critical}.get(level, colours.ok)
        share = None if metric.value is None else self._part(metric.value, *self._ends(metric))
        return Share(label, text, share, colour)

    def _ends(self, metric: Metric) -> tuple[float, float]:
        maximum, unit = self.maximum, self.unit or metric.unit
        if maximum is None:
            maximum = {"percent": 100.0, "ratio": 1.0}.get(unit)
        if maximum is None and metric.value is not None:
            raise InvalidConfigError(f"maximum: a gauge of the unit “{unit}” needs the value at its end")
        return self.minimum or 0.0, maximum or 100.0

    def _part(self, value: float, low: float, high: float) -> float:
        if high <= low:
            return 0.0
        return max(0.0, min((value / 2 - low / 2) / (high / 2 - low / 2), 1.0))

    # Both

    def _request(self, spec: Spec, description: str) -> ChartRequest:
        return ChartRequest(json.dumps(spec, separators=(",", ":"), allow_nan=False), description)

    def _value(self, value: float | None, unit: str) -> str:
        return shorten(one_line(format_value(value, self.unit or unit, self.decimals)), _VALUE_LIMIT)

    def _text(self, value: float | None, unit: str) -> str:
        return escape_markdown(self._value(value, unit))


def _whole(
    values: tuple[float | None, ...], history: History, aggregate: Aggregate, context: RenderContext
) -> tuple[float | None, ...]:
    """Return the values without the rate of a step that is not over: it would look like a fall."""
    end = history.start + timedelta(seconds=history.step_seconds * len(values))
    return (*values[:-1], None) if aggregate is Aggregate.RATE and end > context.now else values


def _unit(unit: str, aggregate: Aggregate) -> str:
    """Return the unit of what becomes of the values."""
    if aggregate is Aggregate.RATE:
        return f"{unit}/s" if unit and unit != "count" else "/s"
    return {Aggregate.COUNT: "count", Aggregate.UP: "ratio"}.get(aggregate, unit)


def _blocks(context: RenderContext, lines: list[str], request: ChartRequest | None) -> tuple[Block, ...]:
    """Return the lines, and the picture below them as soon as there is one."""
    picture = context.picture(request) if request is not None else None
    if picture is None:
        return (Text("\n".join([*lines, DRAWING] if request is not None else lines)),)
    shown = Gallery((Image.of(picture),))
    return (Text("\n".join(lines)), shown) if lines else (shown,)


def _metrics(context: RenderContext, series: ChartSeries) -> tuple[Metric, ...]:
    """Return what the newest reading has of a series; nothing where only the past has it."""
    reading = context.reading(series.source)
    return tuple(metric for metric in reading.metrics if metric.matches(series.metric, series.labels))


def _labelled(config: ChartSeries, metrics: Sequence[Metric]) -> list[tuple[Metric, str]]:
    rows = [tuple(sorted(metric.labels.items())) for metric in metrics]
    return list(zip(metrics, _names(config, rows), strict=True))


def _named(config: ChartSeries, series: Sequence[SeriesHistory]) -> list[tuple[SeriesHistory, str]]:
    return list(zip(series, _names(config, [one.labels for one in series]), strict=True))


def _names(config: ChartSeries, rows: Sequence[tuple[tuple[str, str], ...]]) -> list[str]:
    """Return the label, or the metric's own name; where several match, with what tells them apart."""
    if len(rows) <= 1:
        return [clean_label(config.label or str(config))] * len(rows)
    common = set(rows[0]).intersection(*rows[1:])
    own = [", ".join(value for pair in row if pair not in common for value in pair[1:]) for row in rows]
    return [clean_label(f"{config.label} {name}".strip() or str(config)) for name in own]

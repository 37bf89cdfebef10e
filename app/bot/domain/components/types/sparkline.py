"""The sparkline component."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, model_validator

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Bound
from app.bot.domain.components.metric_display import MetricDisplay
from app.bot.domain.formatting.markdown import inline_code
from app.bot.domain.formatting.spans import TimeSpan, seconds_of
from app.bot.domain.readings.history import HistoryQuery

STEPS = "▁▂▃▄▅▆▇█"
GAP = " "
"""Where a poll gave no value: nothing is drawn, for a low bar would be a low value."""


@component_types.register("sparkline")
class Sparkline(Component, MetricDisplay, title="Sparkline"):
    """The last values of a metric as a small curve."""

    width: int = Field(24, ge=8, le=40, description="Values drawn at most")
    range: TimeSpan | None = Field(
        None, description="How far back, such as 24h, in so many parts as it is wide; empty: the last readings"
    )
    minimum: Bound | None = Field(None, description="Value at the bottom; empty: the lowest one drawn")
    maximum: Bound | None = Field(None, description="Value at the top; empty: the highest one drawn")
    summary: bool = Field(True, description="Say the lowest and the highest value below")

    @model_validator(mode="after")
    def _ends_in_order(self) -> Sparkline:
        if self.minimum is not None and self.maximum is not None and self.maximum <= self.minimum:
            raise ValueError("maximum must be greater than minimum")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the name with the newest value, the curve, and its lowest and highest value."""
        metric = context.metric(self)
        mark, shown = self.shown(context, metric, self)
        lines = [f"{mark}**{self.name_shown}** {shown}"]
        values = self._values(context)
        known = [value for value in values if value is not None]
        if known:
            lines.append(inline_code(draw(values, self.minimum, self.maximum)))
            # While the value is missing so is its unit, and numbers without their unit would mislead.
            if self.summary and metric.value is not None:
                low = self.number_shown(min(known), metric.unit)
                high = self.number_shown(max(known), metric.unit)
                lines.append(f"-# min {low} · max {high} · last {self.value_shown(metric)}")
        return (Text("\n".join(lines)),)

    def _values(self, context: RenderContext) -> list[float | None]:
        """Return the values to draw; none while history is being loaded."""
        if self.range is None:
            return list(context.recent(self))[-self.width :]
        seconds = seconds_of(self.range)
        labels = tuple(sorted(self.labels.items()))
        history = context.history(HistoryQuery(self.source, self.metric, labels, seconds, seconds / self.width))
        return list(history.series[0].values[-self.width :]) if history is not None and history.series else []


def draw(values: Sequence[float | None], minimum: float | None = None, maximum: float | None = None) -> str:
    """One character for each value, from the lowest step at `minimum` to the highest at `maximum`."""
    known = [value for value in values if value is not None]
    if not known:
        return GAP * len(values)
    # Halves, so that the difference of two huge values cannot overflow.
    low = (min(known) if minimum is None else minimum) / 2
    high = (max(known) if maximum is None else maximum) / 2
    return "".join(GAP if value is None else STEPS[_step(value / 2, low, high)] for value in values)


def _step(value: float, low: float, high: float) -> int:
    if high <= low:
        return 0
    share = max(0.0, min((value - low) / (high - low), 1.0))
    return round(share * (len(STEPS) - 1))

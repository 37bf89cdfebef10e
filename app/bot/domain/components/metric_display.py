"""How a component shows one metric: its name, its value with the unit, and a mark in the colour of its threshold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.components.component import MetricReference, RenderContext
from app.bot.domain.components.fields import Decimals, Label, UnitName
from app.bot.domain.components.lines import mark_of, name_text
from app.bot.domain.components.value_mappings import Mappings, ValueMapping, find_mapping
from app.bot.domain.formatting.markdown import SafeText, escape_markdown, shorten
from app.bot.domain.formatting.regions import Region, current_region
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.reading import Metric
from app.bot.domain.readings.thresholds import Thresholds

VALUE_LIMIT = 60


@functools.lru_cache(maxsize=4_096)
def _number_text(value: float | None, unit: str, decimals: int | None, region: Region) -> SafeText:
    """Most values stay the same from one rendering to the next, so the newest few thousand are remembered."""
    return escape_markdown(shorten(format_value(value, unit, decimals, region), VALUE_LIMIT))


class MetricStyle(BaseModel):
    """How to show a metric, whichever it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    label: Label = Field("", description="Name to show; empty shows the metric's own name")
    unit: UnitName = Field("", description="Unit such as bytes, percent or seconds; empty keeps the source's own")
    decimals: Decimals | None = Field(None, description="Digits behind the point; empty lets the unit choose")
    mappings: Mappings = Field(
        default_factory=list, description="Words, emoji and colours for certain values; the first that fits counts"
    )
    thresholds: Thresholds = Field(
        default_factory=Thresholds, description="From which value on the mark turns yellow and red"
    )

    def value_shown(self, metric: Metric) -> SafeText:
        """Return the metric's value with its unit, or “no data”."""
        return _number_text(metric.value, self.unit or metric.unit, self.decimals, current_region())

    def number_shown(self, value: float | None, unit: str) -> SafeText:
        """Return a value in `unit`, unless the config says another."""
        return _number_text(value, self.unit or unit, self.decimals, current_region())

    def mark(self, value: float | None) -> str:
        """Return the coloured dot of the value's level and a space; nothing where no threshold is set."""
        return mark_of(self.thresholds.level(value)) if self.thresholds.defined else ""

    def shown(self, context: RenderContext, metric: Metric, reference: MetricReference) -> tuple[str, SafeText]:
        """Return the mark (with a space behind it, or nothing) and the text of a metric, by mappings and thresholds."""
        if not self.mappings and not self.thresholds.defined:  # as most are
            return "", self.value_shown(metric)
        mapping = self.mapping(context, metric.value)
        text = mapping.text_shown if mapping is not None else None
        mark = mapping.mark if mapping is not None else ""
        mark = mark or self.mark_after(metric.value, lambda: context.recent(reference))
        return mark, text or self.value_shown(metric)

    def mapping(self, context: RenderContext, value: float | None) -> ValueMapping | None:
        """Return the mapping that is meant for a value, if any. Raises TemplateFailedError when no time is left."""
        return find_mapping(self.mappings, value, context) if self.mappings else None

    def mark_after(self, value: float | None, recent: Callable[[], Sequence[float | None]]) -> str:
        """Like `mark`, for a value after its recent ones: with hysteresis they count too."""
        return mark_of(self.thresholds.level_after(value, recent)) if self.thresholds.defined else ""


class MetricDisplay(MetricReference, MetricStyle):
    """A metric, and how to show it."""

    @functools.cached_property
    def name_shown(self) -> SafeText:
        """The label, or the metric's own name."""
        return name_text(self.label or str(self))

"""What there is to draw: curves over one time, cleaned and no more of them than a chart can show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from app.bot.domain.charts.theme import COLOURS, LABEL_SIZE, WIDTH, Colours, Spec, Theme
from app.bot.domain.charts.value_axis import HUGE
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.thresholds import Thresholds

MAX_CURVES = 20
MAX_POINTS = 2_000
"""Of a whole chart. More are not to be seen, and take their time."""
MAX_LABEL = 40
Value = float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A named row of values, one for each step; None where there is none. `colour` is #RRGGBB."""

    label: str
    values: tuple[Value, ...]
    colour: str

    @property
    def last(self) -> Value:
        """The newest value that there is."""
        return next((value for value in reversed(self.values) if value is not None), None)


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves over one time: values[i] of each is of the step that begins i steps after `start`."""

    start: datetime
    step_seconds: float
    curves: tuple[Curve, ...]
    unit: str
    zone: tzinfo

    @property
    def length(self) -> int:
        """How many steps there are."""
        return max((len(curve.values) for curve in self.curves), default=0)

    @property
    def end(self) -> datetime:
        """When the last step ends."""
        return self.start + timedelta(seconds=self.step_seconds * self.length)

    def values(self) -> list[float]:
        """Every value that there is."""
        return [value for curve in self.curves for value in curve.values if value is not None]

    def time(self, index: int) -> int:
        """Return the middle of a step, in milliseconds since 1970."""
        return round((self.start.timestamp() + (index + 0.5) * self.step_seconds) * 1000)


@dataclass(frozen=True, slots=True)
class Style:
    """How to draw it. `legend` None shows one where there is more than one curve."""

    theme: Theme = Theme.DARK
    height: int = 220
    minimum: float | None = None
    maximum: float | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    lines: bool = True
    bands: bool = True
    stacked: bool = False
    legend: bool | None = None

    @property
    def colours(self) -> Colours:
        """The theme's colours."""
        return COLOURS[self.theme]

    def limits(self) -> list[tuple[float, str]]:
        """Return the thresholds with their colours."""
        both = ((self.thresholds.warning, self.colours.warning), (self.thresholds.critical, self.colours.critical))
        return [(value, colour) for value, colour in both if value is not None]


def clean(values: Iterable[Value]) -> tuple[Value, ...]:
    """Values that can be drawn: no number that is none or infinite."""
    return tuple(
        None if value is None or not math.isfinite(value) else max(-HUGE, min(float(value), HUGE)) for value in values
    )


def clean_label(label: str) -> str:
    """Return a name as one short line."""
    return shorten(one_line(label), MAX_LABEL) or "?"


def reduced(values: Sequence[Value], width: int) -> tuple[Value, ...]:
    """One value for every `width` of them: their mean."""
    if width <= 1:
        return tuple(values)
    found: list[Value] = []
    for index in range(0, len(values), width):
        known = [value for value in values[index : index + width] if value is not None]
        found.append(sum(value / len(known) for value in known) if known else None)
    return tuple(found)


def legend(curves: Sequence[Curve], style: Style, symbol: str) -> tuple[Spec | None, int]:
    """Return the legend below a chart, and how high it is; none where one curve needs no name."""
    wanted = len(curves) > 1 if style.legend is None else style.legend
    if not wanted or not curves:
        return None, 0
    longest = max(len(curve.label) for curve in curves)
    columns = max(1, min(len(curves), int((WIDTH - 40) / (longest * LABEL_SIZE * 0.56 + 34))))
    rows = math.ceil(len(curves) / columns)
    spec: Spec = {
        "orient": "bottom",
        "direction": "horizontal",
        "columns": columns,
        "title": None,
        "symbolType": symbol,
        "symbolSize": 110,
        "columnPadding": 16,
        "rowPadding": 4,
        "offset": 10,
    }
    return spec, 14 + rows * (LABEL_SIZE + 6)


def colour_scale(curves: Sequence[Curve]) -> Spec:
    """Return the curves' colours by their number: two curves may have one name."""
    return {"domain": list(range(len(curves))), "range": [curve.colour for curve in curves]}


def legend_labels(curves: Sequence[Curve]) -> tuple[list[int], list[str]]:
    """Return what `label_expression` needs to write the names."""
    return list(range(len(curves))), [curve.label for curve in curves]

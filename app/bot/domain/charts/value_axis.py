"""Axes of values: round numbers in units that people read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.bot.domain.charts.theme import Spec, label_expression
from app.bot.domain.formatting.regions import current_region
from app.bot.domain.formatting.units import format_value

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_PREFIXES = ("", "k", "M", "G", "T", "P")


def _prefixed(name: str) -> tuple[float, tuple[str, ...]]:
    return 1000.0, tuple(prefix + name for prefix in _PREFIXES)


_SCALES: dict[str, tuple[float, tuple[str, ...]]] = {
    "bytes": (1024.0, _BINARY),
    "bytes/s": (1024.0, tuple(f"{name}/s" for name in _BINARY)),
    "bits": _prefixed("bit"),
    "bits/s": _prefixed("bit/s"),
    "hertz": _prefixed("Hz"),
    "watt": _prefixed("W"),
    "watt_hours": _prefixed("Wh"),
    "volt": _prefixed("V"),
    "ampere": _prefixed("A"),
    "voltampere": _prefixed("VA"),
}
"""Units with one prefix for a whole axis: its base, and the names of its powers."""
_ALIASES = {
    "B": "bytes", "B/s": "bytes/s", "bit/s": "bits/s", "bps": "bits/s", "Hz": "hertz", "W": "watt", "Wh": "watt_hours",
    "V": "volt", "A": "ampere", "VA": "voltampere", "s": "seconds", "ms": "milliseconds", "%": "percent",
    "°C": "celsius", "°F": "fahrenheit", "duration": "seconds",
}  # fmt: skip
_LARGE = _prefixed("")
_TEMPERATURES: dict[str, Callable[[float], float]] = {
    "celsius": lambda value: value * 1.8 + 32,
    "fahrenheit": lambda value: (value - 32) / 1.8,
}
"""To the other unit."""
_DURATIONS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)
_SECONDS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "minutes": 60.0, "hours": 3_600.0}
_LEAST_SHARE, _LEAST_SPAN = 1e-7, 1e-12
"""A span smaller than this, as a share of the values or at all, is none."""
_MAX_TICKS = 21
_MOST_PLACES = 6
HUGE = 1e300
"""Numbers of this size are drawn at the edge: the difference of two may not overflow."""


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The ends of a scale, and the values to write beside it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def scale(self) -> Spec:
        """As Vega-Lite wants it."""
        return {"domain": [self.low, self.high], "nice": False, "zero": False}

    def axis(self, **more: object) -> Spec:
        """As Vega-Lite wants it."""
        return {
            "values": list(self.ticks),
            "labelExpr": label_expression(self.ticks, self.labels),
            "title": None,
            "ticks": False,
            "grid": True,
            **more,
        }


def value_axis(
    values: Iterable[float],
    unit: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    include: Iterable[float] = (),
    from_zero: bool = True,
    ticks: int = 5,
) -> ValueAxis:
    """Return an axis that holds all values.

    Ends that are given hold; others are round, and near ones in `include` are shown.

    `from_zero` begins at 0 where no value is below it. Temperatures are round in the region's own unit.
    """
    unit = _ALIASES.get(unit, unit)
    if unit in _TEMPERATURES and unit != current_region().temperature:
        return _converted(values, unit, minimum=minimum, maximum=maximum, include=include, ticks=ticks)
    known = [max(-HUGE, min(value, HUGE)) for value in values] or [0.0]
    low, high = min(known), max(known)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    span = high - low
    for extra in include:
        if low - span / 2 <= extra <= high + span / 2:
            low, high = min(low, extra), max(high, extra)
    low = low if minimum is None else minimum
    high = high if maximum is None else maximum
    if high - low < max(abs(low), abs(high)) * _LEAST_SHARE or high - low < _LEAST_SPAN:
        low, high = _widened(low, high, minimum, maximum)
    step = _step((high - low) / ticks, unit, max(abs(low), abs(high)))
    if minimum is None:
        low = min(low, math.floor(low / step + 1e-9) * step)
    if maximum is None:
        high = max(high, math.ceil(high / step - 1e-9) * step)
    shown = _multiples(low, high, step)
    return ValueAxis(low, high, shown, tuple(_labels(shown, step, unit)))


def _converted(
    values: Iterable[float],
    unit: str,
    *,
    minimum: float | None,
    maximum: float | None,
    include: Iterable[float],
    ticks: int,
) -> ValueAxis:
    """Return the axis of a temperature that is shown in the other unit: its ticks are round there."""
    known = [max(-HUGE, min(value, HUGE)) for value in values]
    to, back = _TEMPERATURES[unit], _TEMPERATURES[current_region().temperature.value]
    axis = value_axis(
        map(to, known),
        current_region().temperature.value,
        minimum=to(minimum) if minimum is not None else None,
        maximum=to(maximum) if maximum is not None else None,
        include=map(to, include),
        from_zero=False,
        ticks=ticks,
    )
    # There and back again is not always where it was.
    low = minimum if minimum is not None else min([back(axis.low), *known])
    high = maximum if maximum is not None else max([back(axis.high), *known])
    return ValueAxis(low, high, tuple(max(low, min(back(tick), high)) for tick in axis.ticks), axis.labels)


def _widened(low: float, high: float, minimum: float | None, maximum: float | None) -> tuple[float, float]:
    """Return ends that leave something between them; given ones hold as long as they do."""
    span = max(abs(low) * 0.1, abs(high) * 0.1, 1.0)
    if maximum is not None and minimum is None:
        return maximum - span, maximum
    return low, low + span


def _multiples(low: float, high: float, step: float) -> tuple[float, ...]:
    first = math.ceil(low / step - 1e-9)
    numbers = range(first, first + _MAX_TICKS)
    found = (float(f"{number * step:.12g}") for number in numbers)
    return tuple(value for value in found if low <= value <= high)


def _step(least: float, unit: str, size: float) -> float:
    """Return the next round step."""
    if unit in _SECONDS and least * _SECONDS[unit] > 20:
        seconds = least * _SECONDS[unit]
        return (
            next((step for step in _DURATIONS if step >= seconds), _round_up(seconds / 86_400) * 86_400)
            / _SECONDS[unit]
        )
    if unit in _SCALES:
        scale = _power(size, _SCALES[unit][0], len(_SCALES[unit][1]))
        return _round_up(least / scale) * scale
    return _round_up(least)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((factor for factor in (1.0, 2.0, 2.5, 5.0) if factor * power >= value * 0.999), 10.0) * power


def _power(size: float, base: float, count: int) -> float:
    if size < base:
        return 1.0
    return float(base ** min(int(math.log(size, base) + 1e-9), count - 1))


def _labels(ticks: Iterable[float], step: float, unit: str) -> list[str]:
    values = list(ticks)
    largest = max(map(abs, values), default=0.0)
    base, names = _SCALES.get(unit, _LARGE)
    if unit in _SCALES or (largest >= 10_000 and unit in ("", "count")):
        scale = _power(largest, base, len(names))
        name = names[round(math.log(scale, base))]
        space = " " if unit in _SCALES else ""
        return [f"{_plain(value / scale, step / scale)}{space}{name}" if value else "0" for value in values]
    if unit in _SECONDS:
        return [format_value(value, unit) for value in values]
    places = _places(step * (100.0 if unit == "ratio" else 1.0))
    labels = [format_value(value, unit, places) for value in values]
    while len(set(labels)) < len(labels) and places < _MOST_PLACES:
        places += 1
        labels = [format_value(value, unit, places) for value in values]
    return labels


def _plain(value: float, step: float) -> str:
    text = f"{value:,.{_places(step)}f}" if abs(value) < 1e15 else f"{value:.3g}"
    return current_region().forms.number(text)


def _places(step: float) -> int:
    """Digits behind the point that tell two multiples of a step apart."""
    for places in range(_MOST_PLACES):
        scaled = step * 10.0**places
        if abs(scaled - round(scaled)) < 1e-6 * max(1.0, scaled):
            return places
    return _MOST_PLACES

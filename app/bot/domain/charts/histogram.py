"""How often a value was how large."""

from __future__ import annotations

from app.bot.domain.charts.plot import Plot, Style, colour_scale, legend, legend_labels
from app.bot.domain.charts.theme import Spec, framed, label_expression
from app.bot.domain.charts.value_axis import value_axis

_BINS = 24


def histogram(plot: Plot, style: Style) -> Spec:
    """Return the specification: the share of time of each curve in each range of values, one above the other."""
    known = [value for value in plot.values() if _inside(value, style)]
    axis = value_axis(known, plot.unit, minimum=style.minimum, maximum=style.maximum, from_zero=False, ticks=6)
    width = (axis.high - axis.low) / _BINS
    total = max(len(known), 1)
    rows, tops = [], [0.0] * _BINS
    for number, curve in enumerate(plot.curves):
        counts = [0] * _BINS
        for value in curve.values:
            if value is not None and _inside(value, style):
                counts[max(0, min(int((value - axis.low) / width), _BINS - 1))] += 1
        for index, count in enumerate(counts):
            if count:
                low, start = axis.low + index * width, tops[index]
                tops[index] = start + count / total
                rows.append(
                    {"s": number, "a": low, "b": low + width, "y": round(tops[index], 6), "y0": round(start, 6)}
                )
    shares = value_axis(tops, "ratio", ticks=max(2, min(5, style.height // 55)))
    below, height = legend(plot.curves, style, "square")
    if below is not None:
        below["labelExpr"] = label_expression(*legend_labels(plot.curves))
    bars: Spec = {
        "mark": {"type": "rect", "stroke": style.colours.background, "strokeWidth": 1},
        "encoding": {
            "x": {"field": "a", "type": "quantitative", "scale": axis.scale(), "axis": axis.axis(grid=False)},
            "x2": {"field": "b"},
            "y": {"field": "y", "type": "quantitative", "scale": shares.scale(), "axis": shares.axis()},
            "y2": {"field": "y0"},
            "color": {"field": "s", "type": "nominal", "scale": colour_scale(plot.curves), "legend": below},
        },
    }
    lines: list[Spec] = [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": colour, "strokeDash": [5, 4], "strokeWidth": 1.5},
            "encoding": {
                "x": {"datum": value, "type": "quantitative", "scale": axis.scale(), "axis": axis.axis(grid=False)}
            },
        }
        for value, colour in (style.limits() if style.lines else ())
        if axis.low <= value <= axis.high
    ]
    return framed({"data": {"values": rows}, "layer": [bars, *lines]}, style.theme, style.height + height)


def _inside(value: float, style: Style) -> bool:
    return (style.minimum is None or value >= style.minimum) and (style.maximum is None or value <= style.maximum)

"""A value by the hour of the day, one row for each day."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime

from app.bot.domain.charts.plot import Plot, Style
from app.bot.domain.charts.theme import LABEL_SIZE, Spec, framed, label_expression
from app.bot.domain.charts.time_axis import day_name
from app.bot.domain.charts.value_axis import ValueAxis, value_axis

MAX_DAYS = 31
_HOURS = range(0, 24, 3)


def heatmap(plot: Plot, style: Style) -> Spec:
    """Return the specification: the mean of each hour of the guild's own clock, of all curves together."""
    cells = _cells(plot)
    days = sorted({day for day, _ in cells})[-MAX_DAYS:]
    rows = [
        {"d": days.index(day), "h": hour, "v": float(f"{sum(values) / len(values):.5g}")}
        for (day, hour), values in sorted(cells.items())
        if day in days
    ]
    axis = value_axis(
        [row["v"] for row in rows], plot.unit, minimum=style.minimum, maximum=style.maximum, from_zero=False, ticks=4
    )
    every = 1 if len(days) <= 10 else 2 if len(days) <= 16 else 4
    names = [day_name(day) if index % every == (len(days) - 1) % every else "" for index, day in enumerate(days)]
    numbers = list(range(len(days)))
    labels = {"title": None, "ticks": False, "grid": False}
    return framed(
        {
            "data": {"values": rows},
            "mark": {"type": "rect", "cornerRadius": 2, "stroke": style.colours.background, "strokeWidth": 2},
            "encoding": {
                "x": {
                    "field": "h",
                    "type": "ordinal",
                    "scale": {"domain": list(range(24))},
                    "axis": {
                        **labels,
                        "values": list(_HOURS),
                        "labelAngle": 0,
                        "labelExpr": "format(datum.value, '02') + ':00'",
                        "labelOverlap": False,
                    },
                },
                "y": {
                    "field": "d",
                    "type": "ordinal",
                    "scale": {"domain": numbers},
                    "axis": {**labels, "labelExpr": label_expression(numbers, names), "labelOverlap": False},
                },
                "color": _colour(axis, style),
            },
        },
        style.theme,
        max(style.height, 70 + 11 * len(days)) + 40,
    )


def _colour(axis: ValueAxis, style: Style) -> Spec:
    return {
        "field": "v",
        "type": "quantitative",
        "scale": {"domain": [axis.low, axis.high], "range": list(style.colours.heat), "nice": False},
        "legend": {
            "orient": "bottom",
            "direction": "horizontal",
            "title": None,
            "gradientLength": 220,
            "gradientThickness": 10,
            "values": list(axis.ticks),
            "labelExpr": label_expression(axis.ticks, axis.labels),
            "labelOverlap": "greedy",
            "labelFontSize": LABEL_SIZE - 1,
        },
    }


def _cells(plot: Plot) -> dict[tuple[date, int], list[float]]:
    found: dict[tuple[date, int], list[float]] = defaultdict(list)
    for index in range(plot.length):
        known = [curve.values[index] for curve in plot.curves if index < len(curve.values)]
        values = [value for value in known if value is not None]
        if values:
            local = datetime.fromtimestamp(plot.time(index) / 1000, UTC).astimezone(plot.zone)
            found[local.date(), local.hour] += values
    return found

"""Lines, areas and bars over time, side by side or stacked, with thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from app.bot.domain.charts.plot import Curve, Plot, Style, Value, colour_scale, legend, legend_labels
from app.bot.domain.charts.theme import Spec, framed, label_expression
from app.bot.domain.charts.time_axis import TimeAxis, time_axis
from app.bot.domain.charts.value_axis import ValueAxis, value_axis

Mark = Literal["line", "area", "bar"]
_BAND_OPACITY = 0.1


def time_chart(plot: Plot, mark: Mark, style: Style) -> Spec:
    """Return the specification of curves over time."""
    stacked = style.stacked and mark != "line"
    rows = list(_stacked_rows(plot) if stacked else _rows(plot, mark))
    axis = value_axis(
        [end for row in rows for end in (row["y"], row.get("y0")) if end is not None],
        plot.unit,
        minimum=style.minimum,
        maximum=style.maximum,
        include=[value for value, _ in style.limits()],
        from_zero=mark != "line" or stacked or plot.unit in ("percent", "ratio"),
        ticks=max(2, min(6, style.height // 50)),
    )
    times = time_axis(plot.start, plot.end, plot.zone)
    below, height = legend(plot.curves, style, "stroke" if mark == "line" else "square")
    x: Spec = {"field": "x", **_scaled(times)}
    y: Spec = {"field": "y", **_scaled(axis)}
    if below is not None:
        below["labelExpr"] = label_expression(*legend_labels(plot.curves))
        if mark == "line":
            below |= {"symbolStrokeWidth": 3, "symbolSize": 160}
    colour: Spec = {"field": "s", "type": "nominal", "scale": colour_scale(plot.curves), "legend": below}
    layers = [
        *_bands(axis, times, style),
        {"encoding": {"x": x, "y": y}, "layer": _marks(plot, mark, axis, stacked=stacked, colour=colour)},
        *_limit_lines(axis, times, style),
    ]
    return framed({"data": {"values": rows}, "layer": layers}, style.theme, style.height + height)


def _rows(plot: Plot, mark: Mark) -> Iterator[dict[str, Any]]:
    for number, curve in enumerate(plot.curves):
        for index, value in enumerate(curve.values):
            row: dict[str, Any] = {"s": number, "x": plot.time(index), "y": _round(value)}
            if mark != "bar" and value is not None and _alone(curve, index):
                row["alone"] = 1
            if mark != "bar" or value is not None:
                yield row


def _stacked_rows(plot: Plot) -> Iterator[dict[str, Any]]:
    """Each curve begins where the one before it ends. A gap is a step for which no curve has a value."""
    for index in range(plot.length):
        column = [curve.values[index] if index < len(curve.values) else None for curve in plot.curves]
        gap = all(value is None for value in column)
        above = beneath = 0.0
        for number, value in enumerate(column):
            start = above if (value or 0.0) >= 0 else beneath
            end = start + (value or 0.0)
            above, beneath = max(above, end), min(beneath, end)
            row = {"s": number, "x": plot.time(index), "y": None, "y0": None}
            yield row if gap else row | {"y": _round(end), "y0": _round(start)}


def _round(value: Value) -> Value:
    """Seven digits: more are not to be seen, and shorter texts are drawn sooner and compared as equal more often."""
    return None if value is None else float(f"{value:.7g}")


def _alone(curve: Curve, index: int) -> bool:
    """Whether a value has no neighbour that a line could lead to."""
    values = curve.values
    before = index > 0 and values[index - 1] is not None
    after = index + 1 < len(values) and values[index + 1] is not None
    return not before and not after


def _marks(plot: Plot, mark: Mark, axis: ValueAxis, *, stacked: bool, colour: Spec) -> list[Spec]:
    if mark == "bar":
        return [_bars(plot, axis, stacked=stacked, colour=colour)]
    base: Spec = {"field": "y0"} if stacked else {"datum": _floor(axis)}
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round", "strokeCap": "round", "clip": True},
        "encoding": {"color": colour},
    }
    points: Spec = {
        "transform": [{"filter": "datum.alone"}],
        "mark": {"type": "point", "filled": True, "size": 24, "opacity": 1, "clip": True},
        "encoding": {"color": colour | {"legend": None}},
    }
    if mark == "line":
        return [line, points]
    area: Spec = {
        "mark": {"type": "area", "fillOpacity": 0.75 if stacked else 0.22, "clip": True, "line": False},
        "encoding": {"color": colour, "y2": base},
    }
    line["mark"]["strokeWidth"] = 1 if stacked else 2
    line["encoding"] = {"color": colour | {"legend": None}}
    return [area, line, points]


def _bars(plot: Plot, axis: ValueAxis, *, stacked: bool, colour: Spec) -> Spec:
    """Bars as wide as their step, beside each other in it unless stacked."""
    beside = 1 if stacked else max(1, len(plot.curves))
    step = plot.step_seconds * 1000
    share = step * 0.84 / beside
    place = "0" if stacked else f"datum.s * {share}"
    encoding: Spec = {
        "x": {"field": "left", "type": "quantitative"},
        "x2": {"field": "right"},
        "y2": {"field": "y0"} if stacked else {"datum": _floor(axis)},
        "color": colour,
    }
    return {
        "transform": [
            {"calculate": f"datum.x - {step * 0.42} + {place}", "as": "left"},
            {"calculate": f"datum.left + {share}", "as": "right"},
        ],
        "mark": {"type": "rect", "clip": True},
        "encoding": encoding,
    }


def _floor(axis: ValueAxis) -> float:
    """Where areas and bars stand: on zero, or on the end of the scale that is nearest to it."""
    return min(max(0.0, axis.low), axis.high)


def _bands(axis: ValueAxis, times: TimeAxis, style: Style) -> Iterator[Spec]:
    """Yield the part of the scale behind each threshold, in its colour."""
    if not style.bands:
        return
    edge = axis.low if style.thresholds.below else axis.high
    limits = style.limits()
    for number, (value, colour) in enumerate(limits):
        end = limits[number + 1][0] if number + 1 < len(limits) else edge
        low, high = max(min(value, end), axis.low), min(max(value, end), axis.high)
        if low < high:
            yield {
                "data": {"values": [{}]},
                "mark": {"type": "rect", "color": colour, "opacity": _BAND_OPACITY},
                "encoding": _across(low, axis, times) | {"y2": {"datum": high}},
            }


def _across(value: float, axis: ValueAxis, times: TimeAxis) -> Spec:
    """Return a value all over the chart. Every layer has both axes: Vega-Lite draws the grid of the first one."""
    return {
        "x": {"datum": times.start, **_scaled(times)},
        "x2": {"datum": times.end},
        "y": {"datum": value, **_scaled(axis)},
    }


def _scaled(axis: ValueAxis | TimeAxis) -> Spec:
    return {"type": "quantitative", "scale": axis.scale(), "axis": axis.axis()}


def _limit_lines(axis: ValueAxis, times: TimeAxis, style: Style) -> Iterator[Spec]:
    if not style.lines:
        return
    for value, colour in style.limits():
        if axis.low <= value <= axis.high:
            yield {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": colour, "strokeDash": [5, 4], "strokeWidth": 1.5},
                "encoding": _across(value, axis, times),
            }

"""Gauges and donuts: what values are now."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.bot.domain.charts.plot import Style
from app.bot.domain.charts.theme import WIDTH, Spec, framed, look

MAX_GAUGES = 4
_HALF = math.pi / 2
_REACH = math.radians(115)
"""How far a gauge goes to either side of the top."""
_ONE_ROW: Spec = {"values": [{}]}
_STEPS = 200
"""A gauge moves in so many steps: what is not to be seen draws nothing again."""


@dataclass(frozen=True, slots=True)
class Share:
    """A value with its name, its colour and how it reads; `share` is of the whole scale, None where it is missing."""

    label: str
    text: str
    share: float | None
    colour: str


def gauges(shares: Sequence[Share], style: Style, limits: Sequence[tuple[float, str]] = ()) -> Spec:
    """One to four gauges side by side. `limits` are shares of the scale with the colour from there on."""
    shown = shares[:MAX_GAUGES]
    width = (WIDTH - 20 * len(shown)) / len(shown)
    radius = min(width / 2, (style.height - 34) / (1 + math.sin(_REACH - _HALF)) - 4)
    return {
        "padding": {"left": 10, "right": 10, "top": 12, "bottom": 10},
        "spacing": 20,
        **look(style.theme),
        "hconcat": [_gauge(share, width, radius, style, limits) for share in shown],
    }


def _gauge(share: Share, width: float, radius: float, style: Style, limits: Sequence[tuple[float, str]]) -> Spec:
    place = {"x": round(width / 2, 1), "y": round(radius, 1)}
    ring = max(8.0, radius * 0.2)

    def arc(start: float, end: float, colour: str, outer: float, inner: float) -> Spec:
        angles = {"theta": round(_angle(start), 4), "theta2": round(_angle(end), 4)}
        radii = {"radius": round(outer, 1), "radius2": round(inner, 1)}
        return {"mark": {"type": "arc", **place, **angles, **radii, "color": colour, "cornerRadius": 2}}

    colours = style.colours
    layers = [arc(0, 1, colours.empty, radius - 5, radius - 5 - ring)]
    if share.share is not None and share.share > 0:
        layers.append(arc(0, round(share.share * _STEPS) / _STEPS, share.colour, radius - 5, radius - 5 - ring))
    for number, (start, colour) in enumerate(limits):
        end = limits[number + 1][0] if number + 1 < len(limits) else 1.0
        if start < end:
            layers.append(arc(start, end, colour, radius, radius - 3))
    size = min(radius * 0.42, 1.5 * radius / max(len(share.text), 3) * 1.15)
    middle: dict[str, Any] = {"x": place["x"], "align": "center", "limit": round(width)}
    layers.append(_words(share.text, max(size, 13), colours.text, y=place["y"], bold=True, **middle))
    below = round(radius * (1 + math.sin(_REACH - _HALF)) + 14, 1)
    layers.append(_words(share.label, 14, colours.muted, y=below, **middle))
    height = radius * (1 + math.sin(_REACH - _HALF)) + 30
    return {"width": round(width), "height": round(height), "data": _ONE_ROW, "layer": layers}


def _angle(share: float) -> float:
    return -_REACH + 2 * _REACH * max(0.0, min(share, 1.0))


def donut(shares: Sequence[Share], middle: str, style: Style) -> Spec:
    """Return a ring of shares of a whole with their names and values beside it, and the whole in the middle."""
    shown = [share for share in shares if share.share is not None]
    total = sum(share.share or 0.0 for share in shown) or 1.0
    rows = [{"s": number, "v": round((share.share or 0.0) / total, 4)} for number, share in enumerate(shown)]
    radius = min(style.height, 300) / 2 - 16
    left = radius + 8
    centre = {"x": left, "y": style.height / 2 - 11}
    ring: Spec = {
        "mark": {
            "type": "arc",
            "innerRadius": radius * 0.64,
            "outerRadius": radius,
            "padAngle": 0.02 if len(shown) > 1 else 0,
            "cornerRadius": 3,
            **centre,
        },
        "encoding": {
            "theta": {"field": "v", "type": "quantitative", "stack": True},
            "order": {"field": "s"},
            "color": {
                "field": "s",
                "type": "nominal",
                "scale": {"domain": [row["s"] for row in rows], "range": [share.colour for share in shown]},
                "legend": None,
            },
        },
    }
    layers: list[Spec] = [ring]
    if middle:
        size = min(radius * 0.34, 1.6 * radius / max(len(middle), 3))
        layers.append(_words(middle, max(size, 12), style.colours.text, bold=True, align="center", **centre))
    layers += _names(shown, style, left + radius + 24, centre["y"])
    spec: Spec = {"data": {"values": rows}, "layer": layers, "width": WIDTH - 24}
    framed_spec = framed(spec, style.theme, style.height)
    return framed_spec | {"autosize": "none", "width": WIDTH, "height": style.height}


def _names(shares: Sequence[Share], style: Style, left: float, middle: float) -> list[Spec]:
    """Return the names below each other, each with its value at the right edge."""
    lines = max(1, int(middle * 2 / 20))
    shown, rest = (shares, 0) if len(shares) <= lines else (shares[: lines - 1], len(shares) - lines + 1)
    count = len(shown) + (1 if rest else 0)
    top, right = middle - (count - 1) * 10, WIDTH - 34
    found: list[Spec] = []
    for number, share in enumerate(shown):
        y = round(top + number * 20, 1)
        symbol = {"type": "square", "size": 110, "filled": True, "opacity": 1, "color": share.colour, "x": left, "y": y}
        wide = round(right - left - 100)
        found += [
            {"data": _ONE_ROW, "mark": symbol},
            _words(share.label, 14, style.colours.text, x=left + 14, y=y, align="left", limit=wide),
            _words(share.text, 14, style.colours.muted, x=right, y=y, align="right", limit=90),
        ]
    if rest:
        y = round(top + len(shown) * 20, 1)
        found.append(_words(f"… and {rest} more", 14, style.colours.muted, x=left + 14, y=y, align="left"))
    return found


def _words(text: str, size: float, colour: str, *, bold: bool = False, **mark: object) -> Spec:
    weight = {"fontWeight": "bold"} if bold else {}
    look = {"type": "text", "text": text, "fontSize": round(size), "color": colour, "baseline": "middle"}
    return {"data": _ONE_ROW, "mark": {**look, **weight, **mark}}

"""How charts look at home in Discord."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Spec: TypeAlias = dict[str, Any]

WIDTH = 500
"""Units across: Discord shows some 550 on a desktop and 350 on a phone, and the picture has two pixels for each."""
FONT = "Liberation Sans, Noto Sans, DejaVu Sans, Noto Color Emoji, sans-serif"
LABEL_SIZE = 13


class Theme(StrEnum):
    """The side of Discord that a chart is made for."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class Colours:
    """A theme's colours. `heat` goes from the lowest to the highest value."""

    background: str
    text: str
    muted: str
    grid: str
    empty: str
    warning: str
    critical: str
    ok: str
    series: tuple[str, ...]
    heat: tuple[str, ...]

    def of_series(self, index: int) -> str:
        """Return the colour of a series that has none of its own."""
        return self.series[index % len(self.series)]


COLOURS: Mapping[Theme, Colours] = {
    Theme.DARK: Colours(
        background="#2b2d31",
        text="#dbdee1",
        muted="#a6acb6",
        grid="#3d4047",
        empty="#3f4248",
        warning="#f0b232",
        critical="#f23f43",
        ok="#2fb35f",
        series=(
            "#6d8dff", "#3ecf8e", "#f5b83d", "#f26fae", "#4cc9e8",
            "#b18cff", "#ff8f6b", "#a5d34f", "#c9ced6", "#e0708a",
        ),
        heat=("#35395a", "#4259c3", "#3f9fd8", "#56cfa5", "#f2de6b"),
    ),
    Theme.LIGHT: Colours(
        background="#f2f3f5",
        text="#313338",
        muted="#5c6470",
        grid="#dcdfe4",
        empty="#d5d9e0",
        warning="#c27c0e",
        critical="#d22d39",
        ok="#1f8b4c",
        series=(
            "#4058e8", "#16875a", "#c27c0e", "#c7317f", "#0b88a8",
            "#7b4fd0", "#d0512a", "#5f8a12", "#6a7280", "#a83250",
        ),
        heat=("#e3e8fb", "#a9bdf7", "#6a8cf0", "#4453c9", "#312a78"),
    ),
}  # fmt: skip


def framed(spec: Mapping[str, Any], theme: Theme, height: int, width: int = WIDTH) -> Spec:
    """Return a whole specification: the size with all axes and legends, and the theme's look."""
    return {
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 10, "right": 14, "top": 12, "bottom": 10},
        **look(theme),
        **spec,
    }


def look(theme: Theme) -> Spec:
    """Background, fonts and lines."""
    colours = COLOURS[theme]
    return {
        "background": colours.background,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                "labelColor": colours.muted,
                "labelFontSize": LABEL_SIZE,
                "titleColor": colours.muted,
                "titleFontSize": LABEL_SIZE,
                "titleFontWeight": "normal",
                "gridColor": colours.grid,
                "domain": False,
                "tickColor": colours.grid,
                "labelPadding": 6,
                "labelLimit": 160,
            },
            "legend": {
                "labelColor": colours.text,
                "labelFontSize": LABEL_SIZE,
                "titleColor": colours.muted,
                "titleFontSize": LABEL_SIZE,
                "titleFontWeight": "normal",
                "labelLimit": 220,
                "symbolStrokeWidth": 0,
            },
            "text": {"color": colours.text, "fontSize": LABEL_SIZE, "font": FONT},
            "range": {"category": list(colours.series), "heatmap": list(colours.heat), "ramp": list(colours.heat)},
            "mark": {"color": colours.series[0]},
            "title": {"color": colours.text, "fontSize": 15},
            "header": {"labelColor": colours.muted, "titleColor": colours.muted, "labelFontSize": LABEL_SIZE},
        },
    }


def label_expression(values: object, labels: object) -> str:
    """Return an expression that shows the n-th of `labels` for the n-th of `values`: Vega makes no texts."""
    return f"{json.dumps(labels)}[indexof({json.dumps(values)}, datum.value)]"

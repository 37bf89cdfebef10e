"""Uptime bars: one segment for each span of time, as status pages draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.bot.domain.charts.theme import COLOURS, LABEL_SIZE, WIDTH, Spec, Theme, framed

_ROW, _BAR_TOP, _BAR_BOTTOM = 58, 24, 50
_SIDES = 24
"""What the frame's padding takes of the width."""


@dataclass(frozen=True, slots=True)
class UptimeRow:
    """A source: its name, how long it was up in words, and the share of each segment, None without data."""

    name: str
    text: str
    shares: tuple[float | None, ...]


def uptime_bars(rows: Sequence[UptimeRow], theme: Theme, first: str, last: str) -> Spec:
    """Return the rows below each other. `first` and `last` say when the bars begin and end."""
    colours = COLOURS[theme]
    width, height = WIDTH - _SIDES, _ROW * len(rows) + 12
    segments: list[Spec] = []
    texts: list[Spec] = []
    for number, row in enumerate(rows):
        top = number * _ROW
        texts.append(_text(row.name, 0, top + 12, "left", colours.text))
        texts.append(_text(row.text, width, top + 12, "right", colours.muted))
        step = width / max(len(row.shares), 1)
        segments += [
            {
                "x": round(index * step, 2),
                "x2": round((index + 0.72) * step, 2),
                "y": top + _BAR_TOP,
                "y2": top + _BAR_BOTTOM,
                "c": _colour(share, theme),
            }
            for index, share in enumerate(row.shares)
        ]
    texts.append(_text(first, 0, height, "left", colours.muted))
    texts.append(_text(last, width, height, "right", colours.muted))
    across = {"type": "quantitative", "scale": {"domain": [0, width], "nice": False}, "axis": None}
    down = {"type": "quantitative", "scale": {"domain": [height, 0], "nice": False}, "axis": None}
    bars = {
        "data": {"values": segments},
        "mark": {"type": "rect", "cornerRadius": 2},
        "encoding": {
            "x": {"field": "x", **across},
            "x2": {"field": "x2"},
            "y": {"field": "y", **down},
            "y2": {"field": "y2"},
            "color": {"field": "c", "type": "nominal", "scale": None},
        },
    }
    words = [
        {
            "data": {"values": [text for text in texts if text["align"] == align]},
            "mark": {
                "type": "text",
                "align": align,
                "baseline": "middle",
                "fontSize": LABEL_SIZE,
                "limit": width * 0.7,
            },
            "encoding": {
                "x": {"field": "x", **across},
                "y": {"field": "y", **down},
                "text": {"field": "text"},
                "color": {"field": "c", "type": "nominal", "scale": None},
            },
        }
        for align in ("left", "right")
    ]
    return framed({"layer": [bars, *words]}, theme, height + 26)


def _text(text: str, x: float, y: float, align: str, colour: str) -> Spec:
    return {"text": text, "x": round(x, 2), "y": y, "align": align, "c": colour}


def _colour(share: float | None, theme: Theme) -> str:
    colours = COLOURS[theme]
    if share is None:
        return colours.empty
    if share >= 0.999:
        return colours.ok
    return colours.warning if share >= 0.95 else colours.critical

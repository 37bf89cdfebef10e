"""Lengths of time as people write them: 30m, 24h, 7d, 4w."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_UNITS = {"m": (60, "minutes"), "h": (3_600, "hours"), "d": (86_400, "days"), "w": (604_800, "weeks")}
_ROUND = (
    10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000
)  # fmt: skip

TimeSpan = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[mhdw]$")]
"""A number with m (minutes), h (hours), d (days) or w (weeks)."""


def seconds_of(span: str) -> float:
    """How long it is."""
    return float(int(span[:-1]) * _UNITS[span[-1]][0])


def span_name(span: str) -> str:
    """In words, such as “24 hours”."""
    count, name = int(span[:-1]), _UNITS[span[-1]][1]
    return f"{count} {name if count != 1 else name[:-1]}"


def round_step(seconds: float) -> float:
    """Return the next length of a step that clocks and calendars know."""
    return float(next((step for step in _ROUND if step >= seconds), _ROUND[-1]))

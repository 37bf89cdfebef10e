"""Units: how a number becomes text. A unit is a short name stored with each metric, never an enum of the database."""

from __future__ import annotations

import math
from collections.abc import Callable

MISSING = "no data"
"""What is shown for a value that is not there. A missing value is never shown as 0."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_DURATION = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_LONG = 1e15
"""From here on digits are no longer written out: nobody reads them, and a line of a message is short."""


def _number(value: float, places: int) -> str:
    """A number with thousands separators; no sign in front of what rounds to zero."""
    if abs(value) >= _LONG:
        return f"{value:.3g}"
    text = f"{value:,.{places}f}"
    return text[1:] if text[0] == "-" and not text.strip("-0.,") else text


def _plain(value: float, decimals: int | None, suffix: str = "") -> str:
    """About three significant digits, whole numbers as they are."""
    if decimals is not None:
        places = decimals
    elif float(value).is_integer() or abs(value) >= 100:
        places = 0
    elif abs(value) >= 10:
        places = 1
    elif abs(value) >= 0.01:
        places = 2
    else:
        return f"{value:.2g}{suffix}"
    return _number(value, places) + suffix


def _scaled(value: float, base: float, names: tuple[str, ...], decimals: int | None) -> str:
    size, step = value, 0

    def places() -> int:
        if step == 0:
            return 0
        return decimals if decimals is not None else (0 if abs(size) >= 100 else 1)

    # Rounding counts: 1,023.99 KiB reads 1.0 MiB, never 1,024 KiB.
    while step < len(names) - 1 and round(abs(size), places()) >= base:
        size, step = size / base, step + 1
    return f"{_number(size, places())} {names[step]}".rstrip()


def _rate(value: float, decimals: int | None, suffix: str) -> str:
    text = _scaled(value, 1000, _DECIMAL, decimals)
    return text + (suffix if text[-1].isalpha() else f" {suffix}")


def _percent(value: float, decimals: int | None) -> str:
    whole = abs(value) >= 10 or float(value).is_integer()
    return _number(value, decimals if decimals is not None else (0 if whole else 1)) + " %"


def _duration(value: float, decimals: int | None) -> str:
    """The two largest parts of a time; milliseconds below one second."""
    seconds = abs(value)
    sign = "-" if value < 0 else ""
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        places = decimals if decimals is not None else int(seconds < 0.01)
        return f"{_number(value * 1000, places)} ms"
    if seconds >= _LONG:
        return f"{value / 86_400:.3g} d"
    whole = round(seconds)
    parts: list[str] = []
    for size, name in _DURATION:
        count, whole = divmod(whole, size)
        if count and len(parts) < 2:
            parts.append(f"{count:,} {name}")
        elif parts:
            break
    return sign + " ".join(parts)


_FORMATS: dict[str, Callable[[float, int | None], str]] = {
    "": _plain,
    "bytes": lambda value, decimals: _scaled(value, 1024, _BINARY, decimals),
    "bytes/s": lambda value, decimals: _scaled(value, 1024, _BINARY, decimals) + "/s",
    "bits/s": lambda value, decimals: _rate(value, decimals, "bit/s"),
    "percent": _percent,
    "ratio": lambda value, decimals: _percent(value * 100.0, 1 if decimals is None else decimals),
    "seconds": _duration,
    "milliseconds": lambda value, decimals: _duration(value / 1000, decimals),
    "celsius": lambda value, decimals: _number(value, decimals or 0) + " °C",
    "hertz": lambda value, decimals: _rate(value, decimals, "Hz"),
    "count": lambda value, decimals: _number(value, decimals or 0),
    "days": lambda value, decimals: _number(value, decimals or 0) + " d",
}

KNOWN_UNITS = tuple(sorted(_FORMATS))
"""Units with a format of their own; any other unit is written behind the number as it stands."""


def format_value(value: float | None, unit: str = "", decimals: int | None = None) -> str:
    """A number with its unit as a person reads it, or MISSING. `decimals` overrides the unit's own choice."""
    if value is None or not math.isfinite(value):
        return MISSING
    formatter = _FORMATS.get(unit)
    if formatter is not None:
        return formatter(value, decimals)
    return _plain(value, decimals, f" {unit}")

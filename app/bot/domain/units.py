"""Units: how a number becomes text. A unit is a short name stored with each metric, never an enum of the database."""

from __future__ import annotations

from collections.abc import Callable

MISSING = "no data"
"""What is shown for a value that is not there. A missing value is never shown as 0."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_DURATION = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def _scaled(value: float, base: float, names: tuple[str, ...], decimals: int | None) -> str:
    size, step = abs(value), 0
    while size >= base and step < len(names) - 1:
        size, step = size / base, step + 1
    places = decimals if decimals is not None else (0 if step == 0 or size >= 100 else 1)
    sign = "-" if value < 0 else ""
    return f"{sign}{size:,.{places}f} {names[step]}".rstrip()


def _duration(value: float, decimals: int | None) -> str:
    seconds = abs(value)
    sign = "-" if value < 0 else ""
    if seconds < 1:
        return f"{sign}{seconds * 1000:.{decimals or 0}f} ms"
    whole = round(seconds)
    parts: list[str] = []
    for size, name in _DURATION:
        count, whole = divmod(whole, size)
        if count and len(parts) < 2:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return sign + " ".join(parts)


def _plain(value: float, decimals: int | None, suffix: str = "") -> str:
    places = decimals if decimals is not None else (0 if float(value).is_integer() or abs(value) >= 100 else 1)
    return f"{value:,.{places}f}{suffix}"


_FORMATS: dict[str, Callable[[float, int | None], str]] = {
    "": _plain,
    "bytes": lambda value, decimals: _scaled(value, 1024, _BINARY, decimals),
    "bytes/s": lambda value, decimals: _scaled(value, 1024, _BINARY, decimals) + "/s",
    "bits/s": lambda value, decimals: (
        (text := _scaled(value, 1000, _DECIMAL, decimals)) + ("bit/s" if text[-1].isalpha() else " bit/s")
    ),
    "percent": lambda value, decimals: _plain(value, decimals if decimals is not None else abs(value) < 10, " %"),
    "ratio": lambda value, decimals: _plain(value * 100, decimals if decimals is not None else 1, " %"),
    "seconds": _duration,
    "milliseconds": lambda value, decimals: _duration(value / 1000, decimals),
    "celsius": lambda value, decimals: _plain(value, decimals or 0, " °C"),
    "hertz": lambda value, decimals: (
        (text := _scaled(value, 1000, _DECIMAL, decimals)) + ("Hz" if text[-1].isalpha() else " Hz")
    ),
    "count": lambda value, decimals: _plain(value, decimals or 0),
    "days": lambda value, decimals: _plain(value, decimals or 0, " d"),
}

KNOWN_UNITS = tuple(sorted(_FORMATS))
"""Units with a format of their own; any other unit is written behind the number as it stands."""


def format_value(value: float | None, unit: str = "", decimals: int | None = None) -> str:
    """A number with its unit as a person reads it, or MISSING. `decimals` overrides the unit's own choice."""
    if value is None:
        return MISSING
    formatter = _FORMATS.get(unit)
    if formatter is not None:
        return formatter(value, decimals)
    return _plain(value, decimals, f" {unit}")

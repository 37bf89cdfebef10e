"""Units: how a number becomes text. A unit is a short name stored with each metric, never an enum of the database.

docs/formatting.md lists them with examples.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from app.bot.domain.formatting.currencies import CURRENCIES
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.formatting.regions import DatePart, Region, Temperature, current_region

MISSING = "no data"
"""What is shown for a value that is not there. A missing value is never shown as 0."""

Formatter = Callable[[float, int | None, Region], str]
"""Makes text of a finite number, with so many decimals (None: as the unit likes it), as a region writes it."""

MONEY = "money:"
"""What stands before a currency in a unit, where the currency's code alone is not clear enough."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_DURATION = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_LONGEST_UNIT = 40
_LONG = 1e15
"""From here on digits are no longer written out: no one reads them, and a line of a message is short."""


def _number(value: float, places: int, region: Region) -> str:
    """Return a number with thousands separators; no sign in front of what rounds to zero."""
    if abs(value) >= _LONG:
        return region.forms.number(f"{value:.3g}")
    text = f"{value:,.{places}f}"
    if text[0] == "-" and not text.strip("-0.,"):
        text = text[1:]
    return region.forms.number(text)


def _plain(value: float, decimals: int | None, region: Region) -> str:
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
        return region.forms.number(f"{value:.2g}")
    return _number(value, places, region)


def _scaled(value: float, base: float, names: tuple[str, ...], decimals: int | None, region: Region) -> str:
    size, step = value, 0

    def places() -> int:
        if step == 0:
            return 0
        return decimals if decimals is not None else (0 if abs(size) >= 100 else 1)

    # Rounding counts: 1,023.99 KiB reads 1.0 MiB, never 1,024 KiB.
    while step < len(names) - 1 and round(abs(size), places()) >= base:
        size, step = size / base, step + 1
    return f"{_number(size, places(), region)} {names[step]}".rstrip()


def _binary(suffix: str) -> Formatter:
    return lambda value, decimals, region: _scaled(value, 1024, _BINARY, decimals, region) + suffix


def _rate(suffix: str) -> Formatter:
    """Thousands as k, M, G in front of the unit; no fractions below a thousand, where there are none."""

    def show(value: float, decimals: int | None, region: Region) -> str:
        text = _scaled(value, 1000, _DECIMAL, decimals, region)
        return text + (suffix if text[-1] in _DECIMAL else f" {suffix}")

    return show


def _measure(suffix: str, scale: float = 1.0) -> Formatter:
    """Thousands as k, M, G in front of the unit; below a thousand about three digits. `scale` to the bare unit."""

    def show(value: float, decimals: int | None, region: Region) -> str:
        value *= scale
        if abs(value) < 999.5:
            return f"{_plain(value, decimals, region)} {suffix}"
        return f"{_scaled(value, 1000, _DECIMAL, decimals, region)}{suffix}"

    return show


def _suffixed(suffix: str, places: int | None = None) -> Formatter:
    """Return the number as it is, with `places` decimals where no one says otherwise."""

    def show(value: float, decimals: int | None, region: Region) -> str:
        return f"{_plain(value, places if decimals is None else decimals, region)} {suffix}"

    return show


def _percent(value: float, decimals: int | None, region: Region) -> str:
    whole = abs(value) >= 10 or float(value).is_integer()
    return _number(value, decimals if decimals is not None else (0 if whole else 1), region) + " %"


def _ratio(value: float, decimals: int | None, region: Region) -> str:
    return _percent(value * 100.0, 1 if decimals is None else decimals, region)


def _count(value: float, decimals: int | None, region: Region) -> str:
    return _number(value, decimals or 0, region)


def _lasting(scale: float) -> Formatter:
    return lambda value, decimals, region: _duration(value * scale, decimals, region)


def _duration(value: float, decimals: int | None, region: Region) -> str:
    """Return the two largest parts of a time; milliseconds below one second."""
    seconds = abs(value)
    sign = region.forms.number("-") if value < 0 else ""
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        places = decimals if decimals is not None else int(seconds < 0.01)
        return f"{_number(value * 1000, places, region)} ms"
    if seconds >= _LONG:
        return region.forms.number(f"{value / 86_400:.3g}") + " d"
    whole = round(seconds)
    parts: list[str] = []
    for size, name in _DURATION:
        count, whole = divmod(whole, size)
        if count and len(parts) < 2:
            parts.append(f"{_number(count, 0, region)} {name}")
        elif parts:
            break
    return sign + " ".join(parts)


def _celsius(value: float, decimals: int | None, region: Region) -> str:
    if region.temperature is Temperature.FAHRENHEIT:
        return _number(value * 1.8 + 32, decimals or 0, region) + " °F"
    return _number(value, decimals or 0, region) + " °C"


def _fahrenheit(value: float, decimals: int | None, region: Region) -> str:
    return _celsius((value - 32) / 1.8, decimals, region)


def _celsius_difference(value: float, decimals: int | None, region: Region) -> str:
    fahrenheit = region.temperature is Temperature.FAHRENHEIT
    shown, unit = (value * 1.8, "°F") if fahrenheit else (value, "°C")
    return f"{_number(shown, 1 if decimals is None else decimals, region)} {unit}"


def _date(part: DatePart) -> Formatter:
    """Seconds since 1970 as a date or time of the region's; a number where the calendar has no such day."""

    def show(value: float, decimals: int | None, region: Region) -> str:
        try:
            moment = region.local(datetime.fromtimestamp(value, UTC))
            return region.forms.date(moment, part, "medium")
        except (ValueError, OverflowError, OSError):
            return _plain(value, decimals, region)

    return show


def _money(currency: str) -> Formatter:
    def show(value: float, decimals: int | None, region: Region) -> str:
        before, after, places = region.forms.money(currency)
        amount = _number(abs(value), places if decimals is None else decimals, region)
        sign = region.forms.number("-") if value < 0 and amount.strip("0.,٫٬ ") else ""
        return f"{sign}{before}{amount}{after}"

    return show


_FORMATS: Mapping[str, Formatter] = {
    "": _plain,
    "bytes": _binary(""),
    "bytes/s": _binary("/s"),
    "bits": _rate("bit"),
    "bits/s": _rate("bit/s"),
    "percent": _percent,
    "ratio": _ratio,
    "seconds": _duration,
    "duration": _duration,
    "microseconds": _lasting(1e-6),
    "milliseconds": _lasting(1e-3),
    "minutes": _lasting(60.0),
    "hours": _lasting(3_600.0),
    "days": lambda value, decimals, region: _number(value, decimals or 0, region) + " d",
    "celsius": _celsius,
    "fahrenheit": _fahrenheit,
    "celsius_difference": _celsius_difference,
    "hertz": _rate("Hz"),
    "watt": _measure("W"),
    "watt_hours": _measure("Wh"),
    "volt": _measure("V"),
    "ampere": _measure("A"),
    "voltampere": _measure("VA"),
    "lux": _suffixed("lx"),
    "hectopascal": _suffixed("hPa", 0),
    "meters/second": _suffixed("m/s"),
    "kilometers/hour": _suffixed("km/h"),
    "miles/hour": _suffixed("mph"),
    "count": _count,
    "date": _date(DatePart.DATE),
    "time": _date(DatePart.TIME),
    "datetime": _date(DatePart.DATETIME),
}

_ALIASES: Mapping[str, Formatter] = {
    "B": _FORMATS["bytes"],
    "B/s": _FORMATS["bytes/s"],
    "bit/s": _FORMATS["bits/s"],
    "bps": _FORMATS["bits/s"],
    "%": _percent,
    "s": _duration,
    "ms": _FORMATS["milliseconds"],
    "°C": _celsius,
    "°F": _fahrenheit,
    "Hz": _FORMATS["hertz"],
    "kHz": lambda value, decimals, region: _FORMATS["hertz"](value * 1e3, decimals, region),
    "MHz": lambda value, decimals, region: _FORMATS["hertz"](value * 1e6, decimals, region),
    "W": _FORMATS["watt"],
    "kW": _measure("W", 1e3),
    "Wh": _FORMATS["watt_hours"],
    "kWh": _measure("Wh", 1e3),
    "VA": _FORMATS["voltampere"],
    "V": _FORMATS["volt"],
    "A": _FORMATS["ampere"],
    "lx": _FORMATS["lux"],
    "hPa": _FORMATS["hectopascal"],
    "mbar": _FORMATS["hectopascal"],
    "m/s": _FORMATS["meters/second"],
    "km/h": _FORMATS["kilometers/hour"],
    "mph": _FORMATS["miles/hour"],
}
"""What other programs call these units, so that a source can pass on theirs."""

KNOWN_UNITS = tuple(sorted(_FORMATS))
"""Units with a format of their own; any other unit is written behind the number as it stands."""


@functools.lru_cache(maxsize=512)
def _formatter(unit: str) -> Formatter:
    known = _FORMATS.get(unit) or _ALIASES.get(unit)
    if known is not None:
        return known
    currency = unit.removeprefix(MONEY)
    if currency in CURRENCIES:
        return _money(currency)
    return _suffixed(shorten(one_line(currency), _LONGEST_UNIT))


@functools.lru_cache(maxsize=8_192)
def _formatted(value: float, unit: str, decimals: int | None, region: Region) -> str:
    """Most values are shown several times, and are the same at the next rendering."""
    return _formatter(unit)(value, decimals, region)


def format_value(value: float | None, unit: str = "", decimals: int | None = None, region: Region | None = None) -> str:
    """Return a number with its unit as a person reads it, or MISSING. `decimals` overrides the unit's own choice.

    It is written as `region` writes, by default as the region in force does (the guild's, while its dashboard is
    built).
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return _formatted(value, unit, decimals, region or current_region())

"""What templates can do with values: functions, given to the sandbox when the program is put together.

They write as the region in force does, which is that of the guild whose dashboard is being built.

A filter takes a number, a metric or numeric text; a missing value stays missing (“no data”). Text that a filter
returns is data and is escaped when printed, unless it is SafeText.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.bot.domain.errors import TemplateFailedError
from app.bot.domain.formatting.currencies import CURRENCIES
from app.bot.domain.formatting.markdown import SafeText, escape_markdown, inline_code, one_line
from app.bot.domain.formatting.regions import DatePart, current_region
from app.bot.domain.formatting.units import MISSING, format_value
from app.bot.domain.readings.reading import Metric
from app.bot.domain.readings.thresholds import STATUS_LEVELS, Thresholds

_TIMESTAMP_STYLES = "tTdDfFR"
_MAX_DECIMALS = 10


def finalize(value: object) -> str:
    """Return what is printed for a value: data escaped for Markdown, times as Discord timestamps, None as “no data”."""
    if isinstance(value, SafeText):
        return value
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return escape_markdown(_float_text(value))
    if isinstance(value, datetime):
        return timestamp(value, "f")
    return escape_markdown(str(value))


def _float_text(value: float) -> str:
    """Return a float without the noise of binary arithmetic; whole ones without a point."""
    if value == 0 or abs(value) >= 0.01:
        value = round(value, 2)
    text = f"{value:.2g}" if 0 < abs(value) < 0.01 else str(value)
    return text.removesuffix(".0")


def number_of(value: object) -> float | None:
    """Return the number in a value; None when it is missing. Raises TemplateFailedError for what is no number."""
    if isinstance(value, Metric):
        return value.value
    if value is None:
        return None
    try:
        return float(value)  # type: ignore[arg-type]  # anything a template has; what is no number is named below
    except (TypeError, ValueError, OverflowError) as error:
        raise TemplateFailedError(f"“{str(value)[:40]}” is no number") from error


def _decimals(decimals: int | None) -> int | None:
    return None if decimals is None else max(0, min(int(decimals), _MAX_DECIMALS))


def _unit_filter(unit: str) -> Callable[..., str]:
    def show(value: object, decimals: int | None = None) -> str:
        return format_value(number_of(value), unit, _decimals(decimals))

    return show


def in_unit(value: object, unit: str, decimals: int | None = None) -> str:
    """Return the number with any unit: a known one formats it, any other is written behind it."""
    return format_value(number_of(value), unit, _decimals(decimals))


def number(value: object, decimals: int | None = None) -> str:
    """Return the number without its unit."""
    return format_value(number_of(value), "", _decimals(decimals))


def money(value: object, currency: str, decimals: int | None = None) -> str:
    """Return an amount of a currency by its code in ISO 4217, such as EUR."""
    if currency not in CURRENCIES:
        raise TemplateFailedError(f"there is no currency “{str(currency)[:10]}”; use a code such as EUR or USD")
    return format_value(number_of(value), currency, _decimals(decimals))


def _moment_filter(part: DatePart) -> Callable[..., str]:
    def show(value: object, length: str = "medium") -> str:
        return _moment_text(value, part, length)

    return show


def _moment_text(value: object, part: DatePart, length: str) -> str:
    seconds = _seconds_since_1970(value)
    if seconds is None:
        return MISSING
    region = current_region()
    try:
        return region.forms.date(region.local(datetime.fromtimestamp(seconds, UTC)), part, str(length))
    except (ValueError, OverflowError, OSError) as error:
        raise TemplateFailedError(f"{part} of “{str(value)[:40]}”: {error}") from error


def timestamp(value: object, style: str = "R") -> SafeText:
    """Return a Discord timestamp, which each reader sees in their own time zone; `R` is relative and ticks by itself.

    Takes a time, seconds since 1970, or ISO 8601 text.
    """
    if len(style) != 1 or style not in _TIMESTAMP_STYLES:
        raise TemplateFailedError(f"timestamp has no style “{style[:10]}”; use one of {', '.join(_TIMESTAMP_STYLES)}")
    seconds = _seconds_since_1970(value)
    return SafeText(MISSING if seconds is None else f"<t:{int(seconds)}:{style}>")


def _seconds_since_1970(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return number_of(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    seconds = number_of(value)
    if seconds is not None and not abs(seconds) < 8.64e12:  # ECMAScript's largest time, which Discord's clients use
        raise TemplateFailedError(f"“{seconds}” is no time in seconds since 1970")
    return seconds


def code(value: object) -> SafeText:
    """Return the value in a monospaced span."""
    return inline_code(one_line(_text(value)))


def bold(value: object) -> SafeText:
    """Return the value in bold."""
    return SafeText(f"**{escape_markdown(_text(value))}**")


def link(value: object, url: str) -> SafeText:
    """Return the value as a link; without a usable address it stays text."""
    label = escape_markdown(one_line(_text(value)))
    usable = url.startswith(("https://", "http://")) and not any(letter in url for letter in " <>()\n")
    return SafeText(f"[{label}](<{url}>)") if usable else label


def markdown(value: object) -> SafeText:
    """Return the value as the Markdown that it is: only for data that you trust."""
    return SafeText(_text(value))


def mark(value: object, warning: float | None = None, critical: float | None = None, below: bool = False) -> SafeText:
    """Return a coloured dot: for a status (up, degraded, down), or for a number against its thresholds."""
    for status, level in STATUS_LEVELS.items():
        if value == status.value:
            return SafeText(level.mark)
    thresholds = Thresholds(warning=warning, critical=critical, below=below)
    return SafeText(thresholds.level(number_of(value)).mark)


def _text(value: object) -> str:
    return MISSING if value is None else str(value)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "bytes": _unit_filter("bytes"),
    "byte_rate": _unit_filter("bytes/s"),
    "bits": _unit_filter("bits/s"),
    "percent": _unit_filter("percent"),
    "ratio": _unit_filter("ratio"),
    "duration": _unit_filter("seconds"),
    "milliseconds": _unit_filter("milliseconds"),
    "celsius": _unit_filter("celsius"),
    "hertz": _unit_filter("hertz"),
    "days": _unit_filter("days"),
    "watt": _unit_filter("watt"),
    "watt_hours": _unit_filter("watt_hours"),
    "money": money,
    "date": _moment_filter(DatePart.DATE),
    "time": _moment_filter(DatePart.TIME),
    "datetime": _moment_filter(DatePart.DATETIME),
    "number": number,
    "unit": in_unit,
    "timestamp": timestamp,
    "code": code,
    "bold": bold,
    "link": link,
    "markdown": markdown,
    "mark": mark,
}
"""Filters by the name that templates use."""

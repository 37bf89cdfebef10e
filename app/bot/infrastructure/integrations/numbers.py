"""Numbers in the forms that services write them: texts, times, durations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from app.bot.domain.formatting.markdown import shorten
from app.bot.infrastructure.sources.json_mapping import number
from app.shared.jmespaths import PathError

_SHOWN_CHARACTERS = 40
_MILLISECONDS_FROM = 1e11
"""A time since the epoch above this is in milliseconds: in seconds it would be the year 5138."""
_FIRST_YEAR = 1980
"""Times before it stand for none: services write the year 1 or 1970 for never."""
_DURATION = TypeAdapter(timedelta)
_PARTS = re.compile(
    r"(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b,?\s*", re.I
)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse_number(value: Any, form: Literal["number", "age", "until", "duration"], now: datetime) -> float | None:
    """Return the number that a value stands for; None for nothing. Raises PathError for what is none."""
    if value is None or value == "" or form == "number":
        return number(None if value == "" else value)
    if form == "duration":
        return _duration(value)
    moment = _moment(value)
    if moment is None:
        return None
    return (now - moment if form == "age" else moment - now).total_seconds()


def _moment(value: Any) -> datetime | None:
    """Return a moment: ISO 8601, or seconds or milliseconds since the epoch. None for never."""
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").replace(".", "", 1).isdigit():
            moment = datetime.fromisoformat(value.strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        else:
            seconds = float(value)
            moment = datetime.fromtimestamp(seconds / 1_000 if seconds > _MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise PathError(f"“{shorten(str(value), _SHOWN_CHARACTERS)}” is not a time") from None
    return moment if moment.year >= _FIRST_YEAR else None


def _duration(value: Any) -> float:
    text = str(value).strip()
    parts = _PARTS.findall(text)
    if parts and not _PARTS.sub("", text):
        return float(sum(float(amount) * _SECONDS[unit[0].lower()] for amount, unit in parts))
    clock = text.split(":")
    if len(clock) == 2 and all(
        part.isdecimal() for part in clock
    ):  # minutes and seconds, which pydantic takes for hours
        return int(clock[0]) * 60.0 + int(clock[1])
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else None
        return _DURATION.validate_python(text if seconds is None else seconds).total_seconds()
    except (ValidationError, ValueError, TypeError, OverflowError):
        raise PathError(f"“{shorten(text, _SHOWN_CHARACTERS)}” is not a duration") from None

"""Moments as sources write them: ISO 8601 text, or seconds (or milliseconds) since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime

from app.bot.domain.readings.items import as_number

_MILLISECONDS = 1e11
"""From here on a number counts milliseconds: as seconds it would be beyond the year 5000."""


def moment_of(value: object) -> datetime | None:
    """Return the moment, with a time zone (UTC where the source names none); None for what is no moment."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    number = as_number(value)
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS else number, UTC)
        if isinstance(value, str):
            return moment_of(datetime.fromisoformat(value.strip()))
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def stamp_of(moment: datetime, style: str = "R") -> str:
    """Discord's timestamp of a moment: each reader sees it on their own clock, and `R` ticks by itself."""
    return f"<t:{int(moment.timestamp())}:{style}>"

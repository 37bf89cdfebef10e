"""Axes of time: round times of the guild's own clock, on a scale of real time, so that no hour is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.bot.domain.charts.theme import Spec, label_expression

_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)
_DAYS = (1, 2, 4, 7, 14)
_MONTHS = (1, 2, 3, 6, 12)
_MONTH_DAYS = 30.4
_WEEK_TICKS = 7
"""Days are short names: a week has each of its own."""
_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONDAY = date(2024, 1, 1)


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """Return the time zone of an IANA name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def milliseconds(at: datetime) -> int:
    """Return a moment as Vega counts time."""
    return round(at.timestamp() * 1000)


def day_name(day: date) -> str:
    """Return a day as charts write it, such as “Mon 24”."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day}"


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """From `start` to `end` in milliseconds since 1970, and the moments to write below."""

    start: int
    end: int
    ticks: tuple[int, ...]
    labels: tuple[str, ...]

    def scale(self) -> Spec:
        """As Vega-Lite wants it."""
        return {"domain": [self.start, self.end], "nice": False, "zero": False}

    def axis(self) -> Spec:
        """As Vega-Lite wants it."""
        return {
            "values": list(self.ticks),
            "labelExpr": label_expression(self.ticks, self.labels),
            "title": None,
            "grid": False,
            "labelFlush": 20,
            "tickSize": 4,
            "labelPadding": 4,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        }


def time_axis(start: datetime, end: datetime, zone: tzinfo, ticks: int = 6) -> TimeAxis:
    """Return an axis with at most some `ticks` moments that are round on the clocks of that zone."""
    found = list(_round_moments(start, end, zone, ticks))
    return TimeAxis(
        milliseconds(start),
        max(milliseconds(end), milliseconds(start) + 1),
        tuple(milliseconds(moment) for moment, _ in found),
        tuple(label for _, label in found),
    )


def _round_moments(start: datetime, end: datetime, zone: tzinfo, ticks: int) -> Iterator[tuple[datetime, str]]:
    minutes = max((end - start).total_seconds() / 60 / ticks, 0.01)
    step = next((step for step in _MINUTES if step >= minutes), None)
    if step is not None:
        yield from _times(start, end, zone, step)
        return
    days = next((step for step in _DAYS if step * 1440 * _WEEK_TICKS >= minutes * ticks), None)
    if days is not None:
        yield from _days(start, end, zone, days)
        return
    months = next((step for step in _MONTHS if step * 1440 * _MONTH_DAYS >= minutes), 12)
    yield from _months(start, end, zone, months)


def _times(start: datetime, end: datetime, zone: tzinfo, step: int) -> Iterator[tuple[datetime, str]]:
    """Yield times of the day; midnight is named by its day."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    seen: set[datetime] = set()
    while day <= last:
        for minute in range(0, 1440, step):
            local = datetime.combine(day, time(minute // 60, minute % 60), zone)
            moment = local.astimezone(UTC)
            # A time that the clocks skip is another one when they are asked again.
            if start <= moment <= end and moment.astimezone(zone).time() == local.time() and moment not in seen:
                seen.add(moment)
                yield moment, f"{local:%H:%M}" if minute else day_name(day)
        day += timedelta(days=1)


def _days(start: datetime, end: datetime, zone: tzinfo, step: int) -> Iterator[tuple[datetime, str]]:
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    day = first + timedelta(days=-(first - MONDAY).days % step)
    while day <= last:
        moment = datetime.combine(day, time(), zone).astimezone(UTC)
        if start <= moment <= end:
            yield moment, f"{day.day} {_NAMES[day.month - 1]}" if step > 2 else day_name(day)
        day += timedelta(days=step)


def _months(start: datetime, end: datetime, zone: tzinfo, step: int) -> Iterator[tuple[datetime, str]]:
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    number = first.year * 12 + first.month - 1
    while (year := number // 12) <= last.year:
        month = number % 12
        if month % step == 0:
            moment = datetime.combine(date(year, month + 1, 1), time(), zone).astimezone(UTC)
            if start <= moment <= end:
                yield moment, _NAMES[month] if month else str(year)
        number += 1

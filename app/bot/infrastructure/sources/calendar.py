"""The calendar source."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from pydantic import Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, source_types
from app.bot.infrastructure.sources.documents import DocumentSource

_TEXT = 300


@source_types.register("calendar")
class Calendar(DocumentSource, title="Calendar"):
    """Events of calendars in the iCal format (.ics), with their repetitions and exceptions.

    Gives the items `events` of the next days, the earliest first: title, starts, ends, all_day, location and calendar.
    """

    days_ahead: int = Field(14, ge=1, le=366, description="How many days ahead events are taken")

    async def read(self, resources: Resources) -> Reading:
        """Fetch every calendar. One that fails makes the source degraded. Raises SourceFailedError when all do."""
        now = datetime.now(UTC)
        read = partial(events_of, now=now, days=self.days_ahead)
        calendars, problems = await self.documents(resources, "text/calendar, */*;q=0.1", read)
        events = [event for calendar in calendars for event in calendar]
        events.sort(key=lambda event: datetime.fromisoformat(event["starts"]))
        status = Status.DEGRADED if problems else Status.UP
        count = Metric("events.count", float(len(events)), "count")
        return Reading(now, status, "; ".join(problems), (count,), {"events": events[:MAX_ITEMS]})


def events_of(content: bytes, now: datetime, days: int) -> list[dict[str, Any]]:
    """Return the events from now on. Raises SourceFailedError for what is no calendar."""
    import icalendar  # slow to import, and few have calendars
    import recurring_ical_events

    try:
        calendar = icalendar.Calendar.from_ical(content)
        name = str(calendar.get("X-WR-CALNAME") or "")
        found = recurring_ical_events.of(calendar, skip_bad_series=True).between(now, now + timedelta(days=days))
    except (ValueError, KeyError, AttributeError, TypeError, IndexError, RecursionError) as error:
        raise SourceFailedError("No calendar in the iCal format (.ics), or one that is damaged") from error
    return [event for event in (_event(entry, name) for entry in found[:MAX_ITEMS]) if event is not None]


def _event(entry: Any, calendar: str) -> dict[str, Any] | None:
    starts = entry.get("DTSTART")
    if starts is None:
        return None
    ends = entry.get("DTEND")
    all_day = not isinstance(starts.dt, datetime)
    return {
        "title": shorten(" ".join(str(entry.get("SUMMARY") or "").split()), _TEXT),
        "starts": _moment(starts.dt).isoformat(),
        "ends": _moment(ends.dt).isoformat() if ends is not None else None,
        "all_day": all_day,
        "location": shorten(" ".join(str(entry.get("LOCATION") or "").split()), _TEXT),
        "calendar": shorten(calendar, 100),
    }


def _moment(value: date | datetime) -> datetime:
    """Return a time with a zone; one without is taken for UTC, and a day begins at its midnight."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)

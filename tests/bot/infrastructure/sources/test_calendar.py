from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.readings.reading import Status
from app.bot.infrastructure.sources import SourceFailedError
from app.bot.infrastructure.sources.calendar import events_of
from tests.support.local_servers import http_server

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{number}\r\n{event}\r\nEND:VEVENT\r\n" for number, event in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Family\r\n{body}END:VCALENDAR\r\n".encode()


def titles(content: bytes, days: int = 7) -> list[tuple[str, str]]:
    return sorted((event["starts"], event["title"]) for event in events_of(content, NOW, days))


def test_an_event_with_all_it_says() -> None:
    (event,) = events_of(
        ics("DTSTART:20260505T180000Z\r\nDTEND:20260505T200000Z\r\nSUMMARY:Dinner\\, late\r\nLOCATION:Kitchen"), NOW, 7
    )
    assert event == {
        "title": "Dinner, late",
        "starts": "2026-05-05T18:00:00+00:00",
        "ends": "2026-05-05T20:00:00+00:00",
        "all_day": False,
        "location": "Kitchen",
        "calendar": "Family",
    }


def test_repetitions_with_their_exceptions() -> None:
    content = ics("DTSTART:20260501T090000Z\r\nRRULE:FREQ=DAILY\r\nEXDATE:20260506T090000Z\r\nSUMMARY:Standup")
    assert [start[:10] for start, _ in titles(content, 4)] == ["2026-05-05", "2026-05-07", "2026-05-08"]


def test_time_zones_and_clock_changes() -> None:
    content = ics("DTSTART;TZID=Europe/Berlin:20260301T100000\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Call")
    (found,) = titles(content)
    assert datetime.fromisoformat(found[0]).astimezone(UTC) == datetime(2026, 5, 10, 8, tzinfo=UTC)


def test_whole_days_and_what_is_on_now() -> None:
    content = ics(
        "DTSTART;VALUE=DATE:20260503\r\nDTEND;VALUE=DATE:20260506\r\nSUMMARY:Trip",
        "DTSTART:20260504T110000Z\r\nDTEND:20260504T130000Z\r\nSUMMARY:Now",
        "DTSTART:20260504T090000Z\r\nDTEND:20260504T100000Z\r\nSUMMARY:Over",
        "DTSTART:20260604T090000Z\r\nSUMMARY:Far",
    )
    found = {event["title"]: event["all_day"] for event in events_of(content, NOW, 7)}
    assert found == {"Trip": True, "Now": False}


@pytest.mark.parametrize("content", [b"", b"<html>Log in</html>", b"\xff\xfe\x00", b"{}"])
def test_what_is_no_calendar_is_said_so(content: bytes) -> None:
    with pytest.raises(SourceFailedError, match="No calendar"):
        events_of(content, NOW, 7)


def test_a_rule_without_end_costs_little() -> None:
    content = ics(*["DTSTART:19700101T000000Z\r\nRRULE:FREQ=HOURLY\r\nSUMMARY:Tick"] * 2)
    assert len(events_of(content, NOW, 1)) in range(46, 52)


async def test_calendars_are_fetched_together(read: Any) -> None:
    starts = datetime.now(UTC) + timedelta(days=2)

    async def answer(request: web.Request) -> web.Response:
        later = starts + timedelta(hours=int(request.path.strip("/")))
        return web.Response(body=ics(f"DTSTART:{later:%Y%m%dT%H%M%SZ}\r\nSUMMARY:In {request.path}"))

    async with http_server(answer) as address:
        reading = await read("calendar", url=f"{address}/5", more_urls=[f"{address}/1"], days_ahead=3)
    assert reading.status is Status.UP
    assert [event["title"] for event in reading.items["events"]] == ["In /1", "In /5"]
    assert reading.metrics[0].value == 2

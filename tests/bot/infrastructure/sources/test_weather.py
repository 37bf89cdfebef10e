from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.readings.reading import Metric
from app.bot.infrastructure.sources import SourceFailedError
from tests.support.local_servers import http_server

FORECAST = {
    "latitude": 52.52,
    "timezone": "Europe/Berlin",
    "current_units": {"temperature_2m": "°C"},
    "current": {
        "time": "2026-05-01T12:00",
        "temperature_2m": 18.4,
        "apparent_temperature": 17.0,
        "relative_humidity_2m": 51,
        "wind_speed_10m": 11.2,
        "precipitation": 0.0,
        "weather_code": 2,
    },
    "daily": {
        "time": ["2026-05-01", "2026-05-02"],
        "temperature_2m_min": [9.1, 8.0],
        "temperature_2m_max": [19.5, None],
        "weather_code": [2, 61],
        "precipitation_sum": [0.0, 3.2],
        "sunrise": ["2026-05-01T05:34"],
    },
    "hourly": {"time": ["2026-05-01T00:00"], "temperature_2m": [10.0], "weather_code": [1], "precipitation": [0.1]},
}


def answering(document: Any, status: int = 200) -> Any:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/v1/forecast"
        assert (request.query["latitude"], request.query["longitude"]) == ("52.52", "-13.4")
        return web.json_response(document, status=status)

    return http_server(answer)


async def forecast(read: Any, document: Any = FORECAST, status: int = 200) -> Any:
    async with answering(document, status) as address:
        return await read("weather", latitude=52.52, longitude=-13.4, base_url=address)


async def test_now_and_the_next_days(read: Any) -> None:
    reading = await forecast(read)
    assert reading.metrics == (
        Metric("temperature", 18.4, "celsius"),
        Metric("apparent_temperature", 17.0, "celsius"),
        Metric("humidity", 51.0, "percent"),
        Metric("wind", 11.2, "km/h"),
        Metric("precipitation", 0.0, "mm"),
        Metric("weather_code", 2.0),
    )
    assert reading.items["daily"] == [
        {"date": "2026-05-01", "minimum": 9.1, "maximum": 19.5, "code": 2, "precipitation": 0.0,
         "sunrise": "2026-05-01T05:34", "sunset": None},
        {"date": "2026-05-02", "minimum": 8.0, "maximum": None, "code": 61, "precipitation": 3.2,
         "sunrise": None, "sunset": None},
    ]  # fmt: skip
    assert reading.items["hourly"] == [
        {"time": "2026-05-01T00:00", "temperature": 10.0, "code": 1, "precipitation": 0.1}
    ]


async def test_what_is_not_there_is_missing(read: Any) -> None:
    reading = await forecast(read, {"current": {"temperature_2m": "warm"}, "daily": {"time": "x"}})
    assert {metric.value for metric in reading.metrics} == {None}
    assert reading.items == {"daily": [], "hourly": []}


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [
        ({"error": True, "reason": "Latitude must be in range"}, 400, "Answered 400 Bad Request: Latitude must"),
        ({}, 200, "lacks “current”"),
        ([], 200, "lacks “current”"),
        ({}, 503, "Answered 503"),
    ],
)
async def test_what_is_no_forecast_is_said_so(read: Any, document: Any, status: int, said: str) -> None:
    with pytest.raises(SourceFailedError, match=said):
        await forecast(read, document, status)

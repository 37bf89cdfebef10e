"""The weather source."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pydantic import Field
from yarl import URL

from app.bot.domain.readings.items import as_number
from app.bot.domain.readings.reading import Metric, Reading
from app.bot.infrastructure.network.http_requests import Request, send
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.http_request import HttpAddress

_LARGEST_BYTES = 1024 * 1024
_CURRENT = {
    "temperature_2m": ("temperature", "celsius"),
    "apparent_temperature": ("apparent_temperature", "celsius"),
    "relative_humidity_2m": ("humidity", "percent"),
    "wind_speed_10m": ("wind", "km/h"),
    "precipitation": ("precipitation", "mm"),
    "weather_code": ("weather_code", ""),
}
_DAILY = {
    "temperature_2m_min": "minimum",
    "temperature_2m_max": "maximum",
    "weather_code": "code",
    "precipitation_sum": "precipitation",
    "sunrise": "sunrise",
    "sunset": "sunset",
}
_HOURLY = {"temperature_2m": "temperature", "weather_code": "code", "precipitation": "precipitation"}
"""Names of Open-Meteo's forecast API (https://open-meteo.com/en/docs), and what they are called here."""


@source_types.register("weather")
class Weather(Source, title="Weather"):
    """The weather at a place, now and in the next days, from Open-Meteo: free, without a key.

    Gives metrics of now and the items `daily` and `hourly`.
    """

    latitude: float = Field(ge=-90, le=90, description="Degrees north, such as 52.52")
    longitude: float = Field(ge=-180, le=180, description="Degrees east, such as 13.41")
    days: int = Field(7, ge=1, le=16, description="How many days of forecast")
    base_url: HttpAddress = Field("https://api.open-meteo.com", description="Where Open-Meteo, or one of your own, is")

    async def read(self, resources: Resources) -> Reading:
        """Ask once. Raises SourceFailedError or RequestFailedError."""
        url = (
            URL(self.base_url)
            / "v1"
            / "forecast"
            % {
                "latitude": str(self.latitude),
                "longitude": str(self.longitude),
                "current": ",".join(_CURRENT),
                "daily": ",".join(_DAILY),
                "hourly": ",".join(_HOURLY),
                "forecast_days": str(self.days),
                "timezone": "auto",
                "timeformat": "iso8601",
            }
        )
        async with send(resources.session, Request("GET", url, {"Accept": "application/json"})) as answer:
            content, complete = await answer.read(_LARGEST_BYTES)
            if answer.status != HTTPStatus.OK:
                raise SourceFailedError(f"Answered {answer.status_text}{_reason(content)}")
        if not complete:
            raise SourceFailedError("The answer is larger than 1 MiB")
        return _reading(content)


def _reading(content: bytes) -> Reading:
    try:
        forecast = json.loads(content)
    except ValueError:
        raise SourceFailedError("Not a forecast: the answer is no JSON") from None
    current = forecast.get("current") if isinstance(forecast, dict) else None
    if not isinstance(current, dict):
        raise SourceFailedError("Not a forecast: the answer lacks “current”. Is base_url an Open-Meteo server?")
    metrics = tuple(Metric(name, as_number(current.get(key)), unit) for key, (name, unit) in _CURRENT.items())
    items = {
        "daily": _rows(forecast.get("daily"), "date", _DAILY),
        "hourly": _rows(forecast.get("hourly"), "time", _HOURLY),
    }
    return Reading(datetime.now(UTC), metrics=metrics, items=items)


def _rows(table: Any, when: str, names: dict[str, str]) -> list[dict[str, Any]]:
    """Open-Meteo gives a list for each column; rows are made of them."""
    if not isinstance(table, dict) or not isinstance(table.get("time"), list):
        return []
    columns = {name: table.get(key) for key, name in names.items()}
    return [
        {
            when: moment,
            **{
                name: column[position] if isinstance(column, list) and position < len(column) else None
                for name, column in columns.items()
            },
        }
        for position, moment in enumerate(table["time"])
    ]


def _reason(content: bytes) -> str:
    try:
        answer = json.loads(content)
    except ValueError:
        return ""
    return f": {str(answer['reason'])[:200]}" if isinstance(answer, dict) and "reason" in answer else ""

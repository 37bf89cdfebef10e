"""The weather component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Title
from app.bot.domain.components.lines import text_of, title_lines
from app.bot.domain.formatting.markdown import escape_markdown, one_line, shorten
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.items import as_number
from app.bot.domain.readings.moments import moment_of
from app.bot.domain.readings.reading import Reading

WMO_CODES: Mapping[int, tuple[str, str]] = {
    0: ("☀️", "Clear"),
    1: ("🌤️", "Mostly clear"),
    2: ("⛅", "Partly cloudy"),
    3: ("☁️", "Overcast"),
    45: ("🌫️", "Fog"),
    48: ("🌫️", "Rime fog"),
    51: ("🌦️", "Light drizzle"),
    53: ("🌦️", "Drizzle"),
    55: ("🌧️", "Heavy drizzle"),
    56: ("🌧️", "Freezing drizzle"),
    57: ("🌧️", "Heavy freezing drizzle"),
    61: ("🌦️", "Light rain"),
    63: ("🌧️", "Rain"),
    65: ("🌧️", "Heavy rain"),
    66: ("🌧️", "Freezing rain"),
    67: ("🌧️", "Heavy freezing rain"),
    71: ("🌨️", "Light snow"),
    73: ("🌨️", "Snow"),
    75: ("❄️", "Heavy snow"),
    77: ("🌨️", "Snow grains"),
    80: ("🌦️", "Light showers"),
    81: ("🌧️", "Showers"),
    82: ("⛈️", "Violent showers"),
    85: ("🌨️", "Snow showers"),
    86: ("❄️", "Heavy snow showers"),
    95: ("⛈️", "Thunderstorm"),
    96: ("⛈️", "Thunderstorm with hail"),
    99: ("⛈️", "Thunderstorm with heavy hail"),
}
"""Weather codes of the WMO (code table 4677, as Open-Meteo documents it): a picture and a word."""
_UNKNOWN = ("🌡️", "")


@component_types.register("weather")
class Weather(Component, title="Weather"):
    """The weather now and in the next days, from a source of the type weather."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    source: str = Field(min_length=1, max_length=200, description="Name of the data source")
    days: int = Field(4, ge=0, le=14, description="How many days to tell of; 0 for none")
    details: bool = Field(True, description="Also humidity, wind and rain")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return a large line for now, a small one with details, and a line for each day."""
        reading = context.reading(self.source)
        title = title_lines(context, self.title)
        if not reading.metrics and not reading.items.get("daily"):
            reason = escape_markdown(shorten(one_line(reading.message or "No forecast yet"), 200))
            return text_of([*title, f"-# {reason}"])
        icon, word = _sky(_value(reading, "weather_code"))
        temperature = reading.metric("temperature")
        now = f"## {icon} {format_value(temperature.value if temperature else None, 'celsius')}"
        lines = [*title, now + (f" · {word}" if word else "")]
        details = self._details(reading)
        if details:
            lines.append("-# " + " · ".join(details))
        lines += [line for item in reading.items.get("daily", ())[: self.days] if (line := _day(context, item))]
        return (Text("\n".join(lines)),)

    def _details(self, reading: Reading) -> list[str]:
        if not self.details:
            return []
        named = (("💧", "humidity"), ("💨", "wind"), ("☔", "precipitation"))
        found = ((icon, reading.metric(name)) for icon, name in named)
        shown = [
            f"{icon} {escape_markdown(str(metric))}" for icon, metric in found if metric and metric.value is not None
        ]
        felt = reading.metric("apparent_temperature")
        if felt is not None and felt.value is not None:
            shown.insert(0, f"feels like {format_value(felt.value, 'celsius')}")
        return shown


def _day(context: RenderContext, item: Mapping[str, Any]) -> str:
    day = moment_of(item.get("date"))
    if day is None:
        return ""
    # A forecast's day is a date, not a moment: no time zone moves it.
    date = day.replace(tzinfo=None)
    today = context.region.local(context.now).replace(tzinfo=None)
    name = "Today" if date.date() == today.date() else f"{date:%a}"
    icon, _ = _sky(item.get("code"))
    low, high = (format_value(as_number(item.get(name)), "celsius") for name in ("minimum", "maximum"))
    rain = as_number(item.get("precipitation"))
    wet = f" · ☔ {format_value(rain, 'mm', 1)}" if rain else ""
    return f"{icon} **{name}** {low} – {high}{wet}"


def _sky(code: object) -> tuple[str, str]:
    number = as_number(code)
    return WMO_CODES.get(int(number), _UNKNOWN) if number is not None and abs(number) < 1_000 else _UNKNOWN


def _value(reading: Reading, name: str) -> float | None:
    metric = reading.metric(name)
    return metric.value if metric is not None else None

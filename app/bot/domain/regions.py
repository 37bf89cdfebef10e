"""How a guild writes numbers, times and temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Temperature(StrEnum):
    """The unit in which temperatures are shown; sources always give degrees Celsius."""

    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


@dataclass(frozen=True, slots=True)
class Region:
    """`time_zone` is an IANA name, `locale` a tag such as de-DE."""

    time_zone: str = "UTC"
    locale: str = "en"
    temperature: Temperature = Temperature.CELSIUS

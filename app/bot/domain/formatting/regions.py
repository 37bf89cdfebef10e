"""How a guild writes numbers, times and temperatures."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo


class Temperature(StrEnum):
    """The unit in which temperatures are shown; sources always give degrees Celsius."""

    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


class DatePart(StrEnum):
    """What of a moment is written."""

    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"


class LocaleForms(Protocol):
    """How a language and country write; what fulfils this with CLDR's data stands in app.shared.locales."""

    def number(self, text: str) -> str:
        """Return a number as Python writes it (-1,234.5), as people there write it."""
        ...

    def money(self, currency: str) -> tuple[str, str, int]:
        """Return what stands before and behind an amount of a currency (ISO 4217), and its digits behind the point."""
        ...

    def date(self, moment: datetime, part: str, length: str) -> str:
        """Return a local time in words; `part` is one of DatePart, `length` one of short, medium, long and full."""
        ...


class PlainForms:
    """Forms of no country in particular: 1,234.5, EUR 1.50 and 2026-11-23 15:04."""

    def number(self, text: str) -> str:
        """Return the text as it is."""
        return text

    def money(self, currency: str) -> tuple[str, str, int]:
        """Return the currency's code before the amount."""
        return f"{currency} ", "", 2

    def date(self, moment: datetime, part: str, length: str) -> str:
        """ISO 8601, to the minute."""
        day, time = f"{moment:%Y-%m-%d}", f"{moment:%H:%M}"
        return {"date": day, "time": time}.get(part, f"{day} {time}")


@dataclass(frozen=True, slots=True)
class Region:
    """`time_zone` is an IANA name that exists, `locale` a tag such as de-DE, `forms` how that one writes.

    `faults` says which of the guild's settings could not be followed.
    """

    time_zone: str = "UTC"
    locale: str = "en"
    temperature: Temperature = Temperature.CELSIUS
    forms: LocaleForms = field(default=PlainForms(), compare=False, repr=False)
    faults: tuple[str, ...] = ()

    def __hash__(self) -> int:
        # Caches of formatted values look regions up for every value shown; of all fields the locale tells the most.
        return hash(self.locale)

    def local(self, moment: datetime) -> datetime:
        """Return the moment on the clocks of the time zone. Raises OverflowError at the ends of the calendar."""
        return moment.astimezone(ZoneInfo(self.time_zone))


_in_force: ContextVar[Region] = ContextVar("region", default=Region())  # noqa: B039  # a frozen value

current_region = _in_force.get
"""The region in which values are written now."""


class InRegion:
    """While it is entered, values are written as a region has it: by components, templates and whatever they call."""

    __slots__ = ("_region", "_token")

    def __init__(self, region: Region) -> None:
        self._region = region

    def __enter__(self) -> None:
        self._token: Token[Region] = _in_force.set(self._region)

    def __exit__(self, *_error: object) -> None:
        _in_force.reset(self._token)

"""Discord servers; the bot adds them when it joins them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from app.definitions.inputs import Input, SnowflakeId, Title
from app.definitions.kinds.base import FileSection, RecordKind, register
from app.shared.database.models import GuildRow
from app.shared.locales import UnknownLocaleError, locale_forms


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone; use a name such as Europe/Berlin or UTC")
    return name


def _locale(tag: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?", tag):
        raise ValueError("is no locale; use a tag such as en, de-DE or pt-BR")
    try:
        locale_forms(tag)
    except UnknownLocaleError:
        raise ValueError("is not known; use a tag such as en, de-DE or pt-BR") from None
    return tag


class GuildInput(Input):
    """A Discord server; the bot adds them by itself."""

    id: SnowflakeId = Field(description="Discord's id of the server")
    name: Title = ""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC", description="Dates and times of its dashboards are in this zone; such as Europe/Berlin"
    )
    locale: Annotated[str, AfterValidator(_locale)] = Field(
        "en", description="Its dashboards write numbers, money and dates as there; such as en or de-DE"
    )
    temperature_unit: Literal["celsius", "fahrenheit"] = Field(
        "celsius", description="Its dashboards show temperatures in this unit"
    )
    enabled: bool = True


class Guilds(RecordKind):
    """Servers are never removed by files, and keep the name that they have in Discord."""

    name = "guilds"
    singular = "guild"
    row = GuildRow
    shape = GuildInput
    unique = "id"
    guild = "id"
    section = FileSection("guilds", order=1, identity=("id",), kept_from_row=("name",), removable=False)


GUILDS = register(Guilds)

"""The region of each guild, from its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

import structlog

from app.bot.domain.formatting.regions import LocaleForms, Region, Temperature
from app.bot.domain.guilds import Guild

log = structlog.get_logger(__name__)

FindForms = Callable[[str], LocaleForms]
"""Gives the forms of a locale. Raises ValueError for one that does not exist."""


class GuildRegions:
    """Regions by guild, made once for each row of `guilds`. A setting that nothing can follow is said once in the log.

    `forms` knows the locales. Guilds of one region share it.
    """

    def __init__(self, guilds: Callable[[], Mapping[int, Guild]], forms: FindForms) -> None:
        self._guilds = guilds
        self._forms = forms
        self._unknown = Region(forms=forms(Region().locale))
        self._made: dict[int, tuple[Guild, Region]] = {}
        self._shared: dict[Region, Region] = {self._unknown: self._unknown}

    def of(self, guild_id: int) -> Region:
        """Return the region of a guild; the default one where the guild is not known."""
        guild = self._guilds().get(guild_id)
        if guild is None:
            return self._unknown
        known = self._made.get(guild_id)
        if known is None or known[0] is not guild:
            made = region_of(guild, self._forms)
            if made.faults and (known is None or known[1].faults != made.faults):
                log.warning("a server's settings cannot be followed", guild=guild_id, reason=" ".join(made.faults))
            known = self._made[guild_id] = (guild, self._shared.setdefault(made, made))
        return known[1]


def region_of(guild: Guild, find_forms: FindForms) -> Region:
    """How a guild writes, as its row says; the default for each setting that is none."""
    default = Region()
    faults: list[str] = []
    time_zone, locale, temperature = guild.time_zone, guild.locale, guild.temperature_unit
    try:
        ZoneInfo(time_zone)
    except (
        KeyError,
        ValueError,
        OSError,
    ):  # unknown, a path out of the folder of zones, a folder
        time_zone = _refused(faults, "time zone", time_zone, default.time_zone)
    try:
        forms = find_forms(locale)
    except ValueError:
        locale = _refused(faults, "locale", locale, default.locale)
        forms = find_forms(locale)
    if temperature not in set(Temperature):
        temperature = _refused(faults, "temperature unit", temperature, default.temperature)
    return Region(time_zone, locale, Temperature(temperature), forms, tuple(faults))


def _refused(faults: list[str], what: str, found: str, instead: str) -> str:
    faults.append(f"There is no {what} “{found[:40]}”; {instead} is used. Correct it under Servers in the web admin.")
    return instead

"""A server's time zone, locale and temperature unit, from its row to the message."""

from __future__ import annotations

from tests.e2e.lab import Lab, text
from tests.support.waiting import until

NEVER = 86_400
SAYS = "{{ 61.5|celsius(1) }} and {{ 1234.5|number(1) }} and {{ 0|unit('datetime') }}"


async def test_a_change_of_the_server_is_shown_at_once(lab: Lab) -> None:
    await lab.dashboard(text(SAYS), refresh_rate=NEVER)
    await lab.until_shown("61.5 °C and 1,234.5 and Jan 1, 1970, 12")
    edits = lab.edits

    await lab.owner.execute("UPDATE guilds SET locale = 'de-DE', time_zone = 'Europe/Berlin'")
    await lab.until_shown("61,5 °C and 1.234,5 and 01.01.1970, 01")
    await lab.owner.execute("UPDATE guilds SET temperature_unit = 'fahrenheit'")
    await lab.until_shown("142,7 °F")
    assert lab.edits == edits + 2


async def test_a_time_zone_that_is_none_is_said_and_stops_nothing(lab: Lab) -> None:
    await lab.owner.execute("UPDATE guilds SET time_zone = 'Mars/Olympus'")
    await lab.dashboard(text(SAYS), refresh_rate=NEVER)
    await lab.until_shown("There is no time zone “Mars/Olympus”")
    assert "61.5 °C" in lab.shown()
    await lab.owner.execute("UPDATE guilds SET time_zone = 'UTC'")
    await until(lambda: "Olympus" not in lab.shown(), lab.shown)

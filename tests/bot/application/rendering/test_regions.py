"""The region of a guild, from its row."""

from __future__ import annotations

import pytest
import structlog

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.regions import GuildRegions, region_of
from app.bot.domain.blocks.block import Container, Problem, Text
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.formatting.regions import Region, Temperature
from app.bot.domain.guilds import Guild
from app.bot.domain.readings.reading import Metric
from app.shared.locales import locale_forms
from tests.support.rendering import COMPONENTS, NOW, TEMPLATES, metrics, store

BERLIN = Guild(5, "Lab", "Europe/Berlin", "de-DE")
BOSTON = Guild(6, "Lab", "America/New_York", "en-US", "fahrenheit")


def regions(*guilds: Guild) -> GuildRegions:
    by_id = {guild.id: guild for guild in guilds}
    return GuildRegions(lambda: by_id, locale_forms)


def test_a_guild_writes_as_its_row_says() -> None:
    region = regions(BERLIN, BOSTON).of(6)
    assert (region.time_zone, region.locale, region.temperature) == (
        "America/New_York",
        "en-US",
        Temperature.FAHRENHEIT,
    )
    assert not region.faults


def test_a_guild_that_is_not_known_writes_english_in_utc() -> None:
    assert regions().of(1) == Region()


def test_guilds_of_one_region_share_it() -> None:
    both = regions(BERLIN, Guild(8, "Other", "Europe/Berlin", "de-DE"))
    assert both.of(5) is both.of(8)


@pytest.mark.parametrize("time_zone", ["Mars/Olympus", "", "../../../etc/passwd", "Europe", "x\0y", "/etc/passwd"])
def test_settings_that_are_none_give_way_to_the_default(time_zone: str) -> None:
    region = region_of(Guild(5, "Lab", time_zone, "xx-YY", "kelvin"), locale_forms)
    assert (region.time_zone, region.locale, region.temperature) == ("UTC", "en", Temperature.CELSIUS)
    assert [fault.split("“")[0] for fault in region.faults] == [
        "There is no time zone ",
        "There is no locale ",
        "There is no temperature unit ",
    ]
    assert region.forms.number("1.5") == "1.5"


def test_a_wrong_setting_is_said_once() -> None:
    found = regions(Guild(5, "Lab", "Mars/Olympus"))
    with structlog.testing.capture_logs() as lines:
        found.of(5)
        found.of(5)
    assert [line["guild"] for line in lines] == [5]


def shown(guild: Guild) -> list[object]:
    parts = [
        ("metric", {"source": "host", "metric": "temp", "label": "CPU", "decimals": 1}),
        ("text", {"text": "{{ metric('host', 'temp') }} {{ 1234.5|number(1) }} {{ 2|money('EUR') }} {{ now|time }}"}),
        (
            "table",
            {"source": "host", "items": "disks", "header": False, "columns": [{"field": "used", "unit": "bytes"}]},
        ),
    ]
    components = tuple(
        DashboardComponent(number, 1, kind, number, config=config) for number, (kind, config) in enumerate(parts, 1)
    )
    readings = store(host=metrics(Metric("temp", 61.55, "celsius"), disks=[{"used": 1.5 * 2**30}]))
    builder = DashboardBuilder(COMPONENTS, readings, TEMPLATES, region_of=regions(guild).of)
    view = builder.build(Dashboard(1, guild.id, "Rack", layout={"footer": False}, components=components), NOW)
    (container,) = view.blocks
    assert isinstance(container, Container)
    return [block.text if isinstance(block, Text) else block for block in container.children]


def test_components_and_templates_write_as_the_guild_does() -> None:
    assert shown(BERLIN) == ["**CPU** 61,5 °C", "62 °C 1.234,5 2,00 € 14\\:00", "```\n1,5 GiB\n```"]
    assert shown(BOSTON) == ["**CPU** 142.8 °F", "143 °F 1,234.5 €2.00 8\\:00 AM", "```\n1.5 GiB\n```"]


def test_a_wrong_setting_is_shown_and_the_dashboard_lives() -> None:
    problem, metric, *_ = shown(Guild(5, "Lab", "Mars/Olympus"))
    assert isinstance(problem, Problem)
    assert "Mars/Olympus" in problem.detail
    assert metric == "**CPU** 61.5 °C"


def test_one_guild_after_another_is_written_as_each_is() -> None:
    assert shown(BERLIN)[0] != shown(BOSTON)[0]
    assert shown(BERLIN)[0] == "**CPU** 61,5 °C"

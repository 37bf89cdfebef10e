from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from app.bot.domain.readings.reading import Metric, Reading, Status
from tests.support import factories
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")


async def reading(owner: asyncpg.Connection, value: float, name: str = "host", number: int = 0) -> None:
    """What the bot would have stored after a poll."""
    taken = Reading(datetime.now(UTC), Status.UP, "", (Metric("cpu", value, "percent"),))
    source = await owner.fetchval("SELECT id FROM data_sources WHERE name = $1", name)
    if source is None:
        source = (await factories.data_source(owner, name=name))["id"]
        await factories.source_state(owner, data_source_id=source, reading=taken.to_json())
    else:
        await owner.execute(
            "UPDATE source_states SET reading = $1, polled_at = now() + $2 * interval '1 second'",
            taken.to_json(),
            number,
        )


async def test_the_preview_shows_the_dashboard_as_discord_will(viewer: Browser, owner: asyncpg.Connection) -> None:
    await reading(owner, 42)
    dashboard = await factories.dashboard(owner, name="Main", layout={"accent": "#ED4245"})
    part = {"dashboard_id": dashboard["id"]}
    await factories.component(owner, **part, type="heading", config={"text": "Hello {{ dashboard.name }}"})
    await factories.component(owner, **part, type="metric", position=1, config={"source": "host", "metric": "cpu"})
    links = {"links": [{"label": "Router", "url": "https://router.example"}]}
    await factories.component(owner, **part, type="links", position=2, config=links)
    page = (await viewer.get(f"/dashboards/{dashboard['id']}")).text
    assert "--dc-accent: #ed4245" in page
    assert "<h2>Hello Main</h2>" in page
    assert "42 %" in page
    assert 'href="https://router.example"' in page
    assert "Add component" not in page


async def test_a_broken_component_shows_its_problem_and_the_rest_lives(
    editor: Browser, owner: asyncpg.Connection
) -> None:
    dashboard = await factories.dashboard(owner)
    part = {"dashboard_id": dashboard["id"]}
    await factories.component(owner, **part, type="metric", name="Old_disk", config={"source": "nas", "metric": "x"})
    await factories.component(owner, **part, type="teleport", position=1, config={})
    await factories.component(owner, **part, type="heading", position=2, config={"text": "Still here"})
    page = (await editor.get(f"/dashboards/{dashboard['id']}")).text
    assert "2 problems" in page
    assert "<strong>Old_disk</strong>: There is no data source “nas”" in page
    assert "Unknown component type “teleport”" in page
    assert "<h2>Still here</h2>" in page
    assert page.count("dc-problem") == 2


async def test_the_page_refreshes_itself_and_sparklines_get_a_past(viewer: Browser, owner: asyncpg.Connection) -> None:
    await reading(owner, 10)
    dashboard = await factories.dashboard(owner)
    await factories.component(
        owner, dashboard_id=dashboard["id"], type="sparkline", config={"source": "host", "metric": "cpu"}
    )
    path = f"/dashboards/{dashboard['id']}/message"
    first = (await viewer.get(path)).text
    assert f'hx-get="{path}"' in first
    assert "every 3s" in first
    assert "<html" not in first
    await reading(owner, 90, number=5)
    second = (await viewer.get(path)).text
    assert "min 10 %" in second
    assert "max 90 %" in second


async def test_the_page_switch_works_in_the_preview(viewer: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    part = {"dashboard_id": dashboard["id"]}
    options = {"options": [{"page": "One"}, {"page": "Two & more"}]}
    await factories.component(owner, **part, type="page_select", config=options)
    await factories.component(owner, **part, type="text", position=1, page="One", config={"text": "first page"})
    await factories.component(owner, **part, type="text", position=2, page="Two & more", config={"text": "other page"})
    path = f"/dashboards/{dashboard['id']}/message"
    first = (await viewer.get(path)).text
    assert "first page" in first
    assert "other page" not in first
    second = (await viewer.get(path, params={"page": "Two & more"})).text
    assert "other page" in second
    assert "first page" not in second
    assert f'{path}?page=Two%20%26%20more"' in second
    assert "first page" in (await viewer.get(path, params={"page": "gone"})).text


async def test_columns_that_no_model_knows_can_be_used(viewer: Browser, owner: asyncpg.Connection) -> None:
    await owner.execute("ALTER TABLE dashboards ADD COLUMN team text DEFAULT 'blue'")
    dashboard = await factories.dashboard(owner)
    await factories.component(owner, dashboard_id=dashboard["id"], config={"text": "{{ dashboard.team }}"})
    assert "<h2>blue</h2>" in (await viewer.get(f"/dashboards/{dashboard['id']}")).text


async def test_a_reading_of_another_version_shows_as_missing(viewer: Browser, owner: asyncpg.Connection) -> None:
    source = await factories.data_source(owner, name="host")
    await factories.source_state(owner, data_source_id=source["id"], reading={"nonsense": True}, status="strange")
    dashboard = await factories.dashboard(owner)
    await factories.component(
        owner, dashboard_id=dashboard["id"], type="metric", config={"source": "host", "metric": "cpu"}
    )
    assert "no data" in (await viewer.get(f"/dashboards/{dashboard['id']}")).text


async def test_what_comes_from_outside_is_shown_as_text(viewer: Browser, owner: asyncpg.Connection) -> None:
    evil = "<script>alert(1)</script>"
    source = await factories.data_source(owner, name="host")
    taken = Reading(datetime.now(UTC), Status.UP, evil, (Metric(evil, 1.0, evil),), {"rows": [{"name": evil}]})
    await factories.source_state(owner, data_source_id=source["id"], reading=taken.to_json(), message=evil)
    dashboard = await factories.dashboard(owner, name=evil, description=evil)
    text = "{{ message('host') }} {{ items('host', 'rows') }}"
    await factories.component(owner, dashboard_id=dashboard["id"], type="text", name=evil, config={"text": text})
    await factories.component(owner, dashboard_id=dashboard["id"], type=evil, position=1, page=None, config={})
    for path in (f"/dashboards/{dashboard['id']}", "/"):
        page = (await viewer.get(path)).text
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;" in page


async def test_components_are_put_in_another_order(editor: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    parts = [
        (await factories.component(owner, dashboard_id=dashboard["id"], position=place, type="teleport"))["id"]
        for place in range(3)
    ]
    other = await factories.component(owner)
    answer = await editor.http.post(
        f"/dashboards/{dashboard['id']}/order",
        data={"component": [parts[2], other["id"], parts[0]]},
        headers={"X-CSRFToken": editor.form_token, "HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert "dc-message" in answer.text
    rows = await owner.fetch(
        "SELECT id FROM dashboard_components WHERE dashboard_id = $1 ORDER BY position", dashboard["id"]
    )
    assert [row["id"] for row in rows] == [parts[2], parts[0], parts[1]]
    assert await owner.fetchval("SELECT position FROM dashboard_components WHERE id = $1", other["id"]) == 0
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'components.update'") == 3


async def test_a_viewer_cannot_move_anything(viewer: Browser, owner: asyncpg.Connection) -> None:
    first = await factories.component(owner, position=5)
    answer = await viewer.post(f"/dashboards/{first['dashboard_id']}/order", {"component": [first["id"]]})
    assert answer.status_code == 403
    assert await owner.fetchval("SELECT position FROM dashboard_components") == 5


@pytest.mark.parametrize("key", ["0", "-4", "999999", "99999999999999999999"])
async def test_a_dashboard_that_is_none_is_not_found(viewer: Browser, key: str) -> None:
    for path in (f"/dashboards/{key}", f"/dashboards/{key}/message"):
        answer = await viewer.get(path)
        assert answer.status_code == 404
        assert "To the overview" in answer.text


async def test_an_address_that_is_none_gets_a_page(viewer: Browser) -> None:
    answer = await viewer.get("/dashboards/abc")
    assert answer.status_code == 404
    assert "To the overview" in answer.text


async def test_the_pace_that_the_bot_learned_of_a_channel_is_shown(viewer: Browser, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    await factories.placement(owner, dashboard_id=board["id"], channel_id=77)
    page = (await viewer.get(f"/dashboards/{board['id']}")).text
    assert "Discord takes an edit" not in page

    await factories.bot_instance(owner, metrics={"edits": 3, "channels": {"77": {"young": 1.0, "old": 42.0}}})
    page = (await viewer.get(f"/dashboards/{board['id']}")).text
    assert "Discord takes an edit every 1 s here, of messages older than an hour every 42 s" in page


async def test_the_preview_writes_as_the_server_does(viewer: Browser, owner: asyncpg.Connection) -> None:
    guild = await factories.guild(owner, locale="de-DE", time_zone="Europe/Berlin", temperature_unit="fahrenheit")
    dashboard = await factories.dashboard(owner, guild_id=guild["id"])
    config = {"text": "{{ 61.5|celsius(1) }} {{ 0|unit('datetime') }}"}
    await factories.component(owner, dashboard_id=dashboard["id"], type="text", config=config)
    assert "142,7 °F 01.01.1970, 01:00" in (await viewer.get(f"/dashboards/{dashboard['id']}")).text
    await owner.execute("UPDATE guilds SET locale = 'en'")
    assert "142.7 °F Jan 1, 1970, 1:00" in (await viewer.get(f"/dashboards/{dashboard['id']}")).text


async def test_variables_and_tabs_work_in_the_preview(viewer: Browser, owner: asyncpg.Connection) -> None:
    variable = {"name": "host", "type": "list", "values": ["nas", "pi & more"], "multi": True}
    dashboard = await factories.dashboard(owner, layout={"variables": [variable]})
    part = {"dashboard_id": dashboard["id"]}
    tabs = {"style": "buttons", "options": [{"page": "One"}, {"page": "Two"}]}
    await factories.component(owner, **part, type="page_select", config=tabs)
    await factories.component(owner, **part, type="variable_select", position=1, config={"variable": "host"})
    for page in ("One", "Two"):
        config = {"text": page + " {{ variables.host|join('+') }}"}
        await factories.component(owner, **part, type="text", position=2, page=page, config=config)
    path = f"/dashboards/{dashboard['id']}/message"
    first = (await viewer.get(path)).text
    assert "One nas" in first
    assert f'hx-get="{path}?page=Two"' in first
    assert f'multiple name="var.host" hx-get="{path}?page=One"' in first
    second = (await viewer.get(f"{path}?page=Two&var.host=nas&var.host=pi%20%26%20more")).text
    assert "Two nas+pi &amp; more" in second
    assert f'hx-get="{path}?page=One&amp;var.host=nas&amp;var.host=pi%20%26%20more"' in second

"""The page of a data source, the test of a config, and the components that come with a type."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source_tests import SourceTestResult
from tests.support import factories
from tests.support.rendering import NOW
from tests.support.waiting import until
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")
READING = Reading(
    NOW,
    Status.DEGRADED,
    "Toner is <low>",
    (Metric("toner", 7, "percent", {"colour": "cyan"}), Metric("pages", None)),
    {"trays": [{"name": "A4", "sheets": 250}]},
)
DEFINITION = {
    "icon": "🖨️",
    "url": "${params.url}",
    "requests": [{"name": "status"}],
    "metrics": [{"name": "toner", "path": "status.toner"}],
    "components": [
        {"type": "heading", "config": {"text": "${title}"}},
        {"type": "metric", "config": {"source": "${source}", "metric": "toner", "label": "Toner"}},
    ],
}


@pytest.fixture
async def printer(owner: asyncpg.Connection) -> asyncpg.Record:
    schema = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}
    await factories.data_source_type(
        owner, name="printer", title="Printer", kind="integration", config_schema=schema, definition=DEFINITION
    )
    source = await factories.data_source(owner, name="hp", title="Office", type="printer", config={"url": "http://hp"})
    await factories.source_state(owner, data_source_id=source["id"], reading=READING.to_json())
    return source


async def test_the_page_shows_the_newest_reading_and_what_comes_with_the_type(
    viewer: Browser, printer: asyncpg.Record
) -> None:
    page = (await viewer.get(f"/data-sources/{printer['id']}")).text
    assert "Toner is &lt;low&gt;" in page
    assert "colour=cyan" in page
    assert "7 %" in page
    assert "missing" in page
    assert "<td>A4</td><td>250</td>" in page
    assert "<h2>Office</h2>" in page
    assert "Put it on a dashboard" not in page
    assert (await viewer.get("/data-sources/999999")).status_code == 404


async def test_the_components_go_onto_a_dashboard_below_what_is_there(
    editor: Browser, viewer: Browser, owner: asyncpg.Connection, printer: asyncpg.Record
) -> None:
    dashboard = await factories.dashboard(owner, name="Main")
    await factories.component(owner, dashboard_id=dashboard["id"], type="heading", config={"text": "First"})
    address = f"/data-sources/{printer['id']}/components"
    assert "Put it on a dashboard" in (await editor.get(f"/data-sources/{printer['id']}")).text
    assert (await viewer.post(address, {"dashboard": dashboard["id"]})).status_code == 403
    done = await editor.post(address, {"dashboard": dashboard["id"]})
    assert (done.status_code, done.headers["location"]) == (303, f"/dashboards/{dashboard['id']}")
    rows = await owner.fetch("SELECT type, config FROM dashboard_components ORDER BY position")
    assert [row["type"] for row in rows] == ["heading", "heading", "metric"]
    assert rows[1]["config"] == {"text": "Office"}
    assert rows[2]["config"]["source"] == "hp"


async def answered(owner: asyncpg.Connection, result: SourceTestResult) -> dict[str, Any]:
    """Answer the next test, as the bot does; what was asked."""

    async def asked() -> asyncpg.Record | None:
        return await owner.fetchrow("SELECT * FROM source_tests WHERE result IS NULL")

    row = await until(asked, "a test to be asked for")
    assert row is not None
    await owner.execute("UPDATE source_tests SET result = $2 WHERE id = $1", row["id"], result.to_json())
    return dict(row)


@pytest.fixture
async def bot(owner: asyncpg.Connection) -> None:
    """A bot that was seen a moment ago."""
    await factories.bot_instance(owner)


async def test_without_a_bot_nobody_waits_for_one(editor: Browser) -> None:
    shown = await editor.post("/data-sources/test", {"type": "static", "config": "{}", "timeout_seconds": "60"})
    assert "Is it running?" in shown.text


@pytest.mark.usefixtures("bot")
async def test_a_config_is_tested_as_it_was_typed(editor: Browser, owner: asyncpg.Connection) -> None:
    sent = {
        "name": "status",
        "method": "GET",
        "address": "http://hp/<x>",
        "result": "200 OK",
        "seconds": 0.1,
        "size": 9,
    }
    result = SourceTestResult(READING, None, (sent,), {"status": {"toner": 7}}, {"pages": "the answers do not have it"})
    form = {"type": "static", "config": json.dumps({"values": {"a": 1}}), "timeout_seconds": "3"}
    shown, asked = await asyncio.gather(editor.post("/data-sources/test", form), answered(owner, result))
    assert (asked["type"], asked["config"], asked["timeout_seconds"]) == ("static", {"values": {"a": 1}}, 3)
    assert "http://hp/&lt;x&gt;" in shown.text
    assert "missing: the answers do not have it" in shown.text
    assert "100 ms" in shown.text
    assert "&#34;toner&#34;: 7" in shown.text
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'data-sources.test'") == 1


async def test_only_editors_test(viewer: Browser) -> None:
    assert (await viewer.post("/data-sources/test", {"type": "static", "config": "{}"})).status_code == 403
    refused = await viewer.api("POST", "/data-sources/test", {"type": "static"})
    assert refused.status_code == 403


@pytest.mark.usefixtures("bot")
async def test_a_type_is_tested_while_it_is_written(editor: Browser, owner: asyncpg.Connection) -> None:
    form = {
        "name": "printer",
        "config_schema": "type: object\nproperties: {url: {type: string}}",
        "definition": json.dumps({**DEFINITION, "components": []}),
        "sample": "url: http://hp",
    }
    shown, asked = await asyncio.gather(
        editor.post("/data-source-types/test", form), answered(owner, SourceTestResult(None, "Connection refused"))
    )
    assert "Connection refused" in shown.text
    assert asked["integration"]["definition"]["requests"] == [{"name": "status"}]
    assert asked["config"] == {"url": "http://hp"}
    wrong = await editor.post("/data-source-types/test", {**form, "definition": "url: ["})
    assert "definition: " in wrong.text
    wrong = await editor.post("/data-source-types/test", {**form, "definition": "url: x"})
    assert "<code>definition.requests</code>" in wrong.text


@pytest.mark.usefixtures("bot")
async def test_the_api_tests_too(editor: Browser, owner: asyncpg.Connection) -> None:
    body = {"type": "static", "config": {"values": {}}}
    shown, _ = await asyncio.gather(
        editor.api("POST", "/data-sources/test", body), answered(owner, SourceTestResult(READING))
    )
    assert shown.json()["reading"]["status"] == "degraded"
    assert (await editor.api("POST", "/data-sources/test", {"config": {}})).status_code == 422

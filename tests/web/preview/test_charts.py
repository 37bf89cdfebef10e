"""Charts in the web admin: the same pictures that Discord shows."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from app.bot.domain.readings.history import Sample, Series
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.repositories import PostgresHistory
from tests.support import factories
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")
PICTURE = re.compile(r'src="data:image/png;base64,([^"]+)" alt="([^"]*)"')


@pytest.fixture
async def source(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> int:
    """A source with an hour of history, and a reading."""
    source_id = int((await factories.data_source(owner, name="host"))["id"])
    taken = Reading(datetime.now(UTC), Status.UP, "", (Metric("cpu", 42.0, "percent"),))
    await factories.source_state(owner, data_source_id=source_id, reading=taken.to_json())
    history = PostgresHistory(bot_pool)
    now = datetime.now(UTC)
    await history.make_partitions(now - timedelta(days=1), now)
    line = Series(source_id, "cpu", (("core", "a"),), "percent")
    await history.write([Sample(line, now - timedelta(minutes=minute), 40.0 + minute % 7) for minute in range(60)])
    return source_id


async def chart(owner: asyncpg.Connection, **config: object) -> int:
    dashboard = await factories.dashboard(owner)
    config = {"series": [{"source": "host", "metric": "cpu"}], "range": "1h", "title": "Load", **config}
    await factories.component(owner, dashboard_id=dashboard["id"], type="chart", config=config)
    return int(dashboard["id"])


async def test_the_first_look_at_a_dashboard_has_its_charts(
    viewer: Browser, owner: asyncpg.Connection, source: int
) -> None:
    dashboard = await chart(owner)
    page = (await viewer.get(f"/dashboards/{dashboard}")).text
    ((picture, description),) = PICTURE.findall(page)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert description.startswith("Load: Line chart of the last 1 hour.")
    assert "Drawing" not in page
    again = (await viewer.get(f"/dashboards/{dashboard}/message")).text
    assert PICTURE.findall(again)


async def test_the_api_says_what_is_shown_without_its_bytes(
    viewer: Browser, owner: asyncpg.Connection, source: int
) -> None:
    dashboard = await chart(owner, kind="gauge")
    answer = await viewer.api("GET", f"/dashboards/{dashboard}/preview")
    assert len(answer.content) < 2_000
    (gallery,) = [block for block in _flat(answer.json()["blocks"]) if block["kind"] == "gallery"]
    (image,) = gallery["images"]
    assert image["url"] == f"attachment://{image['picture']['filename']}"
    assert image["description"] == "cpu 42 %"


async def test_a_chart_without_history_and_one_that_cannot_be_drawn_say_so(
    viewer: Browser, owner: asyncpg.Connection, source: int
) -> None:
    dashboard = await chart(owner, series=[{"source": "host", "metric": "gone"}])
    spec = {"mark": "nope", "encoding": {}}
    await factories.component(owner, dashboard_id=dashboard, type="vega_lite", position=1, config={"spec": spec})
    page = (await viewer.get(f"/dashboards/{dashboard}")).text
    assert "No values in the last 1 hour yet" in page
    assert "Vega-Lite:" in page


def _flat(blocks: list[dict[str, object]]) -> list[dict[str, object]]:
    inner = json.loads(json.dumps(blocks))
    return [part for block in inner for part in (_flat(block["children"]) if "children" in block else [block])]

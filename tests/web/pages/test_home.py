from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg

from tests.support import factories
from tests.web.browser import Browser


async def test_without_anything_it_says_what_to_do(viewer: Browser) -> None:
    page = (await viewer.get("/")).text
    for text in ("No bot has connected yet", "No dashboards yet", "No data sources yet", "homelab seed"):
        assert text in page


async def test_it_shows_the_bot_and_everything_that_is_wrong(viewer: Browser, owner: asyncpg.Connection) -> None:
    await factories.bot_instance(owner, hostname="tower", latency_seconds=0.05, guild_count=2)
    guild = await factories.guild(owner, name="Lab")
    channel = await factories.channel(owner, guild_id=guild["id"], name="status")
    dashboard = await factories.dashboard(owner, guild_id=guild["id"], name="Main")
    problems = [{"title": "Old\\_metric", "detail": "There is no data source"}]
    await factories.message(
        owner, dashboard_id=dashboard["id"], channel_id=channel["id"], message_id=1, problems=problems
    )
    await factories.message(owner, dashboard_id=dashboard["id"], state="failed", error="may not post there")
    source = await factories.data_source(owner, name="nas", title="The NAS")
    await factories.source_state(owner, data_source_id=source["id"], status="down", error="connection refused")
    service = await factories.service(owner, name="collector")
    await factories.service_state(owner, service_id=service["id"], status="failed", error="it fell over")
    page = (await viewer.get("/")).text
    assert f"/dashboards/{dashboard['id']}" in page
    for text in ("Bot on tower", "latency 50 ms", "2 servers", "#status", "Old_metric", "There is no data source"):
        assert text in page
    for text in ("may not post there", "The NAS", "down", "connection refused", "it fell over"):
        assert text in page


async def test_a_bot_that_was_not_seen_lately_is_not_running(viewer: Browser, owner: asyncpg.Connection) -> None:
    await factories.bot_instance(owner, hostname="old", last_seen_at=datetime.now(UTC) - timedelta(days=3))
    page = (await viewer.get("/")).text
    assert "not running" in page
    assert "last seen 3 days ago" in page


async def test_it_refreshes_itself_without_its_frame(viewer: Browser) -> None:
    assert 'hx-get="/"' in (await viewer.get("/")).text
    part = (await viewer.get("/", headers={"HX-Request": "true"})).text
    assert "Data sources" in part
    assert "<html" not in part


async def test_a_refresh_after_the_session_ended_leads_to_the_login(visitor: Browser) -> None:
    answer = await visitor.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


async def test_who_may_not_change_gets_no_buttons(viewer: Browser, editor: Browser) -> None:
    assert "New dashboard" not in (await viewer.get("/")).text
    assert "New dashboard" in (await editor.get("/")).text

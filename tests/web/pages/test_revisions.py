"""The history in the web admin: what was changed, and restoring it after a question."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.support import factories
from tests.web.browser import Browser, field_value

pytestmark = pytest.mark.usefixtures("types")


async def page(browser: Browser, path: str, status: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


async def newest(owner: asyncpg.Connection) -> int:
    found: int = await owner.fetchval("SELECT max(id) FROM revisions")
    return found


async def test_the_list_says_who_changed_what(editor: Browser, owner: asyncpg.Connection) -> None:
    source = await factories.data_source(owner, name="nas", title="Old <b>")
    await owner.execute("UPDATE data_sources SET title = 'New'")

    shown = await page(editor, "/revisions")

    assert "SQL" in shown
    assert '"Old <b>"' in shown
    assert "Old <b>" not in (await editor.get("/revisions")).text
    of_record = await page(editor, f"/revisions?kind=data-sources&key={source['id']}")
    assert "History of data source nas" in of_record
    assert "Nothing was changed" in await page(editor, "/revisions?kind=actions")
    assert await owner.fetchval("SELECT session_user") in await page(editor, "/revisions?who=post")


async def test_a_record_leads_to_its_history(editor: Browser, viewer: Browser, owner: asyncpg.Connection) -> None:
    source = await factories.data_source(owner)
    board = await factories.dashboard(owner)
    for path in (f"/admin/data-sources/detail?pk={source['id']}", f"/admin/data-sources/edit?pk={source['id']}"):
        assert f"/revisions?kind=data-sources&key={source['id']}" in await page(editor, path)
    assert f"/revisions?dashboard={board['id']}" in await page(editor, f"/dashboards/{board['id']}")
    assert f"/revisions?dashboard={board['id']}" in await page(editor, f"/admin/dashboards/edit?pk={board['id']}")
    assert "/revisions" not in await page(viewer, f"/admin/data-sources/detail?pk={source['id']}")
    assert 'href="/revisions' not in await page(viewer, f"/dashboards/{board['id']}")


async def test_a_change_is_looked_at_and_undone(editor: Browser, owner: asyncpg.Connection) -> None:
    source = await factories.data_source(owner, title="Old", config={"values": {"a": 1}})
    await owner.execute("UPDATE data_sources SET title = 'New', config = '{\"values\": {\"a\": 2}}'")
    revision = await newest(owner)

    looked = await page(editor, f"/revisions/{revision}")
    assert "config.values.a" in looked
    assert f"/revisions/{revision}/restore?version=before" in looked
    question = await page(editor, f"/revisions/{revision}/restore?version=before")
    assert "What changes now" in question
    known = field_value(question, "newest")
    answer = await editor.post(f"/revisions/{revision}/restore", {"version": "before", "newest": known})

    assert answer.status_code == 303
    assert (await owner.fetchrow("SELECT title, config FROM data_sources")) == ("Old", {"values": {"a": 1}})
    after = await page(editor, answer.headers["location"])
    assert f'Restored from <a href="/revisions/{revision}">' in after
    assert f"restored from revision {revision}" in after
    assert "it is like that already" in await page(editor, f"/revisions/{revision}/restore")
    assert await owner.fetchval("SELECT actor_type FROM revisions ORDER BY id DESC LIMIT 1") == "web"
    assert source["id"] == await owner.fetchval("SELECT id FROM data_sources")


async def test_a_deleted_dashboard_is_found_and_comes_back(editor: Browser, owner: asyncpg.Connection) -> None:
    part = await factories.component(owner)
    await owner.execute("DELETE FROM dashboards")
    revision = await owner.fetchval("SELECT id FROM revisions WHERE operation = 'delete' AND table_name = 'dashboards'")

    assert "Details and restore" in await page(editor, "/revisions?kind=dashboards")
    assert "Changed at the same time" in await page(editor, f"/revisions/{revision}")
    question = await page(editor, f"/revisions/{revision}/restore")
    assert "It comes back as it was" in question
    await editor.post(
        f"/revisions/{revision}/restore", {"version": "before", "newest": field_value(question, "newest")}
    )

    assert await owner.fetchval("SELECT id FROM dashboard_components") == part["id"]
    assert "History of a dashboard" in await page(editor, f"/revisions?dashboard={part['dashboard_id']}")


async def test_what_is_refused_is_said_on_the_page(editor: Browser, owner: asyncpg.Connection) -> None:
    await factories.service(owner, type="gone")
    await owner.execute("DELETE FROM services")
    revision = await newest(owner)
    question = await page(editor, f"/revisions/{revision}/restore")

    answer = await editor.post(
        f"/revisions/{revision}/restore", {"version": "before", "newest": field_value(question, "newest")}
    )

    assert answer.status_code == 422
    assert "Not restored" in answer.text
    assert "there is no type “gone”" in answer.text
    assert await owner.fetchval("SELECT count(*) FROM services") == 0


async def test_who_asked_before_somebody_else_changed_it_is_told(editor: Browser, owner: asyncpg.Connection) -> None:
    await factories.data_source(owner, title="1", config={"values": {}})
    await owner.execute("UPDATE data_sources SET title = '2'")
    revision = await newest(owner)
    question = await page(editor, f"/revisions/{revision}/restore")
    await owner.execute("UPDATE data_sources SET title = '3'")

    sent = {"version": "before", "newest": field_value(question, "newest")}
    answer = await editor.post(f"/revisions/{revision}/restore", sent)
    assert answer.status_code == 422
    assert "changed meanwhile by" in answer.text
    assert await owner.fetchval("SELECT title FROM data_sources") == "3"

    sent["newest"] = field_value(answer.text, "newest")
    assert (await editor.post(f"/revisions/{revision}/restore", sent)).status_code == 303
    assert await owner.fetchval("SELECT title FROM data_sources") == "1"


async def test_roles_and_forged_forms(viewer: Browser, editor: Browser, owner: asyncpg.Connection) -> None:
    await factories.setting(owner, value=1)
    await owner.execute("UPDATE settings SET value = '2'")
    revision = await newest(owner)
    for path in ("/revisions", f"/revisions/{revision}", f"/revisions/{revision}/restore"):
        await page(viewer, path, 403)
    assert 'href="/revisions"' not in await page(viewer, "/")
    assert "/restore" not in await page(editor, f"/revisions/{revision}")
    sent = {"version": "before", "newest": str(revision)}
    assert (await editor.post(f"/revisions/{revision}/restore", sent)).status_code == 403
    forged = await editor.http.post(f"/revisions/{revision}/restore", data=sent)
    assert forged.status_code == 403
    assert await owner.fetchval("SELECT value FROM settings") == 2


@pytest.mark.parametrize("path", ["/revisions/0", "/revisions/-1", "/revisions/99999999999999999999", "/revisions/12"])
async def test_a_revision_that_there_is_not(editor: Browser, path: str) -> None:
    await page(editor, path, 404)


async def test_long_lists_have_pages(editor: Browser, owner: asyncpg.Connection) -> None:
    await factories.service(owner)
    for number in range(30):
        await owner.execute("UPDATE services SET name = $1", f"name{number}")
    first = await page(editor, "/revisions?kind=services")
    assert "page=2" in first
    second = await page(editor, "/revisions?kind=services&page=2")
    assert ">made<" in second.replace(" made ", ">made<")
    assert "page=3" not in second


async def test_a_large_row_is_not_read_for_the_list(editor: Browser, owner: asyncpg.Connection) -> None:
    noise = "".join(chr(40_000 + number * 7_919 % 20_000) for number in range(100_000))
    await factories.component(owner, type="text", config={"text": noise})
    await owner.execute("UPDATE dashboard_components SET config = config || '{\"more\": 1}'")

    shown = await page(editor, "/revisions?kind=components")
    assert "config" in shown
    assert len(shown) < 60_000
    assert "config.more" in await page(editor, f"/revisions/{await newest(owner)}")


async def test_a_form_does_not_overwrite_what_somebody_else_saved(
    editor: Browser, log_in: Callable[[str], Awaitable[Browser]], owner: asyncpg.Connection
) -> None:
    source = await factories.data_source(owner, name="nas", title="Old", config={"values": {}})
    other = await log_in("editor")
    path = f"/admin/data-sources/edit?pk={source['id']}"
    mine, theirs = await page(editor, path), await page(other, path)

    def sent(form: str, title: str) -> dict[str, str]:
        values = {"name": "nas", "title": title, "type": "static", "config": '{"values": {}}', "enabled": "on"}
        fixed = {"interval_seconds": "30", "timeout_seconds": "10"}
        return {**values, **fixed, "known_revision": field_value(form, "known_revision")}

    assert (await other.post(path, sent(theirs, "Theirs"))).status_code == 303
    refused = await editor.post(path, sent(mine, "Mine"))

    assert refused.status_code == 422
    assert "Changed meanwhile by editor" in refused.text
    again = await editor.post(path, sent(refused.text, "Mine"))
    assert again.status_code == 422
    assert await owner.fetchval("SELECT title FROM data_sources") == "Theirs"
    assert (await editor.post(path, sent(await page(editor, path), "Mine"))).status_code == 303
    assert await owner.fetchval("SELECT title FROM data_sources") == "Mine"

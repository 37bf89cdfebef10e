"""Which role sees and changes what on the table pages."""

from __future__ import annotations

import asyncpg
import pytest

from tests.support import factories
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")
EVERYONE = ["dashboards", "components", "component-types", "data-sources", "data-source-types", "commands", "actions",
            "permission-grants", "guilds", "services", "settings"]  # fmt: skip


async def test_a_viewer_looks_and_changes_nothing(viewer: Browser, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner, name="Main")
    for key in EVERYONE:
        page = await viewer.get(f"/admin/{key}/list")
        assert page.status_code == 200
        assert f"/admin/{key}/create" not in page.text
        assert (await viewer.get(f"/admin/{key}/create")).status_code == 403
    assert (await viewer.get(f"/admin/dashboards/detail?pk={dashboard['id']}")).status_code == 200
    for key in ("secrets", "users", "audit-log"):
        assert (await viewer.get(f"/admin/{key}/list")).status_code == 403
    edit = await viewer.post(f"/admin/dashboards/edit?pk={dashboard['id']}", {"name": "stolen"})
    assert edit.status_code == 403
    deleted = await viewer.http.post(
        f"/admin/_api/dashboards/row-action?pk={dashboard['id']}&name=delete",
        headers={"X-CSRFToken": viewer.form_token},
    )
    assert deleted.status_code == 400
    assert await owner.fetchval("SELECT name FROM dashboards") == "Main"


async def test_an_editor_changes_definitions_but_not_who_may_do_what(editor: Browser) -> None:
    for key in ("dashboards", "components", "data-sources", "commands", "actions", "services"):
        assert (await editor.get(f"/admin/{key}/create")).status_code == 200
    for key in ("permission-grants", "secrets", "settings", "users"):
        assert (await editor.get(f"/admin/{key}/create")).status_code == 403
    assert (await editor.get("/admin/audit-log/list")).status_code == 200


async def test_nobody_changes_what_comes_with_the_program(admin: Browser) -> None:
    for key in ("service-types", "audit-log"):
        assert (await admin.get(f"/admin/{key}/create")).status_code in (403, 404)
    for key, name in (("component-types", "heading"), ("data-source-types", "static")):
        refused = await admin.post(f"/admin/{key}/edit?pk={name}", {"name": name, "definition": "{}"})
        assert "comes with the program and cannot be changed here" in refused.text
    assert "config_schema" not in (await admin.get("/admin/component-types/list")).text
    assert "subtitle" in (await admin.get("/admin/component-types/detail?pk=heading")).text


@pytest.mark.parametrize("key", ["0", "x", "-1", "99999999999999999999", "1 OR 1=1"])
async def test_a_key_that_is_none_is_not_found(admin: Browser, key: str) -> None:
    for page in ("detail", "edit"):
        assert (await admin.get(f"/admin/dashboards/{page}", params={"pk": key})).status_code == 404


async def test_lists_search_sort_and_show_names(admin: Browser, owner: asyncpg.Connection) -> None:
    guild = await factories.guild(owner, name="Lab")
    await factories.dashboard(owner, guild_id=guild["id"], name="Main 100%")
    await factories.dashboard(owner, guild_id=guild["id"], name="Other")
    page = (await admin.get("/admin/dashboards/list", params={"q": "100%", "sort": "name__desc"})).text
    assert "Main 100%" in page
    assert "Other" not in page
    assert "Lab" in page
    assert "Nothing found" in (await admin.get("/admin/dashboards/list", params={"q": "_%_"})).text


async def test_what_a_row_holds_is_shown_as_text(admin: Browser, owner: asyncpg.Connection) -> None:
    await factories.dashboard(owner, name="<script>alert(1)</script>")
    page = (await admin.get("/admin/dashboards/list")).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_the_form_editor_gets_the_schema_of_a_type(viewer: Browser) -> None:
    found = (await viewer.get("/forms/component-types/metric")).json()
    assert found["schema"]["properties"]["source"]["type"] == "string"
    layout = (await viewer.get("/forms/dashboards/layout")).json()
    assert "accent" in layout["schema"]["properties"]
    assert (await viewer.get("/forms/component-types/teleport")).status_code == 404
    assert (await viewer.get("/forms/users/anna")).status_code == 404

"""Revisions in the REST API: who changed what by which way, what differs, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.database import Database, owner_connection
from tests.support.waiting import until
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")


async def listed(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    answer = await browser.api("GET", f"/revisions{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def details(browser: Browser, revision: int) -> dict[str, Any]:
    answer = await browser.api("GET", f"/revisions/{revision}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def restored(browser: Browser, revision: int, **body: Any) -> dict[str, Any]:
    answer = await browser.api("POST", f"/revisions/{revision}/restore", body)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


async def refused(browser: Browser, revision: int, status: int, **body: Any) -> dict[str, Any]:
    answer = await browser.api("POST", f"/revisions/{revision}/restore", body)
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


async def source(browser: Browser, **values: Any) -> dict[str, Any]:
    body = {"name": f"source{factories.number()}", "type": "static", "config": {"values": {"a": 1}}, **values}
    answer = await browser.api("POST", "/data-sources", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def changed(browser: Browser, address: str, **values: Any) -> None:
    answer = await browser.api("PATCH", address, values)
    assert answer.status_code == 200, answer.text


async def test_a_change_says_who_made_it_and_what_it_was(editor: Browser) -> None:
    made = await source(editor)
    await changed(editor, f"/data-sources/{made['id']}", config={"values": {"a": 2}}, title="Two")

    update, insert = await listed(editor, f"?kind=data-sources&key={made['id']}")

    assert (insert["operation"], update["operation"]) == ("insert", "update")
    assert (update["actor_type"], update["actor_id"]) == ("web", str(editor.user_id))
    assert update["actor_name"].startswith("editor")
    assert (update["name"], update["fields"]) == (made["name"], ["config", "title"])
    found = await details(editor, update["id"])
    assert {"path": "config.values.a", "change": "changed", "before": 1, "after": 2} in found["differences"]
    assert {"path": "title", "change": "changed", "before": "", "after": "Two"} in found["differences"]
    assert found["after"]["title"] == "Two"


async def test_each_way_of_changing_is_told_apart(editor: Browser, owner: asyncpg.Connection) -> None:
    made = await source(editor)
    await editor.post(
        f"/admin/data-sources/edit?pk={made['id']}",
        {"name": made["name"], "title": "By form", "type": "static", "config": '{"values": {"a": 1}}', "enabled": "on"},
    )
    token = await editor.post("/account/tokens", {"name": "backup", "role": "editor", "days": "30"})
    secret = token.text.partition('id="new-token">')[2].partition("<")[0]
    editor.http.cookies.clear()
    await changed_by_token(editor, secret, made["id"])
    await owner.execute("UPDATE data_sources SET title = 'By SQL' WHERE id = $1", made["id"])

    rows = await owner.fetch("SELECT * FROM revisions WHERE table_name = 'data_sources' ORDER BY id")

    assert [row["actor_type"] for row in rows] == ["web", "web", "api", "sql"]
    assert "(backup)" in rows[2]["actor_name"]


async def changed_by_token(browser: Browser, secret: str, key: int) -> None:
    answer = await browser.http.patch(
        f"/api/v1/data-sources/{key}", json={"title": "By script"}, headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200, answer.text


async def test_an_account_changes_its_own_password_and_tokens_in_its_own_name(
    editor: Browser, owner: asyncpg.Connection
) -> None:
    await editor.post("/account/tokens", {"name": "backup", "role": "editor", "days": "30"})
    token = await owner.fetchval("SELECT id FROM api_tokens")
    await editor.post(f"/account/tokens/{token}/revoke")
    repeated = {"password": "a much better one", "repeated": "a much better one"}
    await editor.post("/account/password", {"current": "correct horse battery", **repeated})

    rows = await owner.fetch("SELECT * FROM revisions WHERE actor_type = 'web' ORDER BY id")

    assert [(row["table_name"], row["operation"]) for row in rows] == [
        ("api_tokens", "insert"),
        ("api_tokens", "delete"),
        ("users", "update"),
    ]
    assert {row["actor_id"] for row in rows} == {str(editor.user_id)}


async def test_an_update_is_undone_and_done_again(editor: Browser) -> None:
    made = await source(editor, title="First")
    await changed(editor, f"/data-sources/{made['id']}", title="Second", config={"values": {"b": 2}})
    update = (await listed(editor))[0]

    assert await restored(editor, update["id"]) == {
        "kind": "data-sources",
        "key": str(made["id"]),
        "outcome": "changed",
        "parts": 0,
    }
    now = (await editor.api("GET", f"/data-sources/{made['id']}")).json()
    assert (now["title"], now["config"]) == ("First", {"values": {"a": 1}})

    newest = (await listed(editor))[0]
    assert newest["note"] == f"restored from revision {update['id']}"
    assert newest["actor_type"] == "web"
    assert (await restored(editor, update["id"]))["outcome"] == "unchanged"
    assert (await listed(editor))[0]["id"] == newest["id"]

    await restored(editor, update["id"], version="after")
    assert (await editor.api("GET", f"/data-sources/{made['id']}")).json()["title"] == "Second"


async def test_a_deleted_dashboard_comes_back_with_its_components_and_ids(
    editor: Browser, owner: asyncpg.Connection
) -> None:
    guild = await factories.guild(owner)
    board = (await editor.api("POST", "/dashboards", {"guild_id": str(guild["id"]), "name": "Lab"})).json()
    parts = []
    for text in ("one", "two", "three"):
        body = {"dashboard_id": board["id"], "type": "heading", "config": {"text": text}}
        parts.append((await editor.api("POST", "/components", body)).json())
    await editor.api("DELETE", f"/components/{parts[0]['id']}")
    await editor.api("DELETE", f"/dashboards/{board['id']}")

    (deletion,) = await listed(editor, f"?kind=dashboards&key={board['id']}&limit=1")
    together = await listed(editor, f"?transaction={deletion['transaction']}")
    assert sorted(revision["kind"] for revision in together) == ["components", "components", "dashboards"]
    done = await restored(editor, deletion["id"])

    assert (done["outcome"], done["parts"]) == ("created", 2)
    back = (await editor.api("GET", f"/components?dashboard_id={board['id']}")).json()["items"]
    assert [(part["id"], part["config"]) for part in back] == [(part["id"], part["config"]) for part in parts[1:]]
    assert (await editor.api("GET", f"/dashboards/{board['id']}")).json()["name"] == "Lab"
    history = await listed(editor, f"?dashboard_id={board['id']}")
    assert {revision["kind"] for revision in history} == {"dashboards", "components"}


async def test_a_deletion_by_sql_is_undone_too(admin: Browser, owner: asyncpg.Connection) -> None:
    part = await factories.component(owner)
    board = await owner.fetchrow("SELECT * FROM dashboards")
    assert board is not None
    await owner.execute("DELETE FROM guilds")
    (deletion,) = await listed(admin, "?kind=guilds&limit=1")

    done = await restored(admin, deletion["id"])

    assert done["parts"] == 2
    assert (
        await owner.fetchval("SELECT id FROM dashboard_components WHERE dashboard_id = $1", board["id"]) == part["id"]
    )


async def test_what_is_not_valid_anymore_is_refused_with_the_field(editor: Browser, owner: asyncpg.Connection) -> None:
    board = await factories.dashboard(owner)
    part = await factories.component(owner, dashboard_id=board["id"], type="gone", config={})
    await owner.execute("DELETE FROM dashboards WHERE id = $1", board["id"])
    found = await listed(editor, f"?dashboard_id={board['id']}")
    of_board, of_part = (next(one for one in found if one["kind"] == kind) for kind in ("dashboards", "components"))

    problem = await refused(editor, of_board["id"], 422)
    assert problem["errors"][0]["field"] == f"components.{part['id']}.type"
    assert await owner.fetchval("SELECT count(*) FROM dashboards") == 0

    problem = await refused(editor, of_part["id"], 422)
    assert {error["field"] for error in problem["errors"]} == {"type", "dashboard_id"}


async def test_a_name_that_is_taken_now_is_refused(editor: Browser) -> None:
    made = await source(editor, name="nas")
    await editor.api("DELETE", f"/data-sources/{made['id']}")
    await source(editor, name="nas")

    problem = await refused(editor, (await listed(editor, f"?key={made['id']}"))[0]["id"], 409)
    assert problem["errors"][0]["field"] == "name"


@pytest.mark.parametrize(("operation", "version"), [("insert", "before"), ("delete", "after")])
async def test_a_version_that_there_is_not_is_refused(editor: Browser, operation: str, version: str) -> None:
    made = await source(editor)
    await editor.api("DELETE", f"/data-sources/{made['id']}")
    found = next(one for one in await listed(editor, f"?key={made['id']}") if one["operation"] == operation)

    problem = await refused(editor, found["id"], 422, version=version)
    assert problem["errors"][0]["field"] == "version"


async def test_a_setting_comes_back_by_its_name(admin: Browser) -> None:
    await admin.api("POST", "/settings", {"key": "theme.accent", "value": {"dark": 5}})
    await changed(admin, "/settings/theme.accent", value=None)
    await admin.api("DELETE", "/settings/theme.accent")
    deletion, update, _ = await listed(admin, "?kind=settings&key=theme.accent")

    await restored(admin, deletion["id"])
    assert (await admin.api("GET", "/settings/theme.accent")).json()["value"] is None
    await restored(admin, update["id"])
    assert (await admin.api("GET", "/settings/theme.accent")).json()["value"] == {"dark": 5}


async def test_secrets_and_passwords_are_not_kept_and_not_restored(
    admin: Browser, owner: asyncpg.Connection, secret_box: SecretBox
) -> None:
    made = (await admin.api("POST", "/secrets", {"name": "nas", "value": "swordfish"})).json()
    await changed(admin, f"/secrets/{made['id']}", value="another")
    await changed(admin, f"/secrets/{made['id']}", name="renamed")
    rename, value, _ = await listed(admin, "?kind=secrets")

    assert value["fields"] == ["ciphertext"]
    assert (await details(admin, value["id"]))["differences"] == []
    await restored(admin, rename["id"])
    sealed = await owner.fetchrow("SELECT * FROM secrets")
    assert sealed is not None
    assert (sealed["name"], secret_box.open(sealed["ciphertext"])) == ("nas", "another")

    await admin.api("DELETE", f"/secrets/{made['id']}")
    problem = await refused(admin, (await listed(admin, "?kind=secrets"))[0]["id"], 422)
    assert problem["errors"][0]["field"] == "value"


async def test_a_role_is_restored_without_touching_the_password(admin: Browser, owner: asyncpg.Connection) -> None:
    user = await factories.user(owner, role="viewer", password_hash="kept")
    await owner.execute("UPDATE users SET role = 'editor' WHERE id = $1", user["id"])
    update = (await listed(admin, f"?kind=users&key={user['id']}"))[0]

    await restored(admin, update["id"])

    now = await owner.fetchrow("SELECT * FROM users WHERE id = $1", user["id"])
    assert now is not None
    assert (now["role"], now["password_hash"], now["session_epoch"]) == ("viewer", "kept", 0)


async def test_a_secret_in_a_config_is_seen_to_change_and_not_read(editor: Browser, owner: asyncpg.Connection) -> None:
    made = await source(editor, config={"values": {}, "password": "swordfish"})
    await changed(editor, f"/data-sources/{made['id']}", config={"values": {}, "password": "other"})
    await factories.setting(owner, key="mail.password", value="hunter2")

    update = (await listed(editor, f"?kind=data-sources&key={made['id']}"))[0]
    answer = await editor.api("GET", f"/revisions/{update['id']}")

    assert answer.json()["differences"] == [
        {"path": "config.password", "change": "changed", "before": "(hidden)", "after": "(hidden)"}
    ]
    assert "swordfish" not in answer.text
    setting = (await listed(editor, "?kind=settings"))[0]
    assert "hunter2" not in (await editor.api("GET", f"/revisions/{setting['id']}")).text

    await restored(editor, update["id"])
    assert (await editor.api("GET", f"/data-sources/{made['id']}")).json()["config"]["password"] == "swordfish"


async def test_roles(
    viewer: Browser, editor: Browser, admin: Browser, visitor: Browser, owner: asyncpg.Connection
) -> None:
    setting = await factories.setting(owner, value=1)
    await owner.execute("UPDATE settings SET value = '2'")
    await factories.api_token(owner)
    revision = await owner.fetchval("SELECT max(id) FROM revisions WHERE table_name = 'settings'")

    assert (await visitor.api("GET", "/revisions")).status_code in (401, 403)
    assert (await viewer.api("GET", "/revisions")).status_code == 403
    assert (await viewer.api("POST", f"/revisions/{revision}/restore", {})).status_code == 403
    kinds = {found["kind"] for found in await listed(editor)}
    assert "settings" in kinds
    assert kinds.isdisjoint({"users", "api_tokens"})
    of_user = (await listed(admin, "?kind=users"))[0]["id"]
    assert (await editor.api("GET", f"/revisions/{of_user}")).status_code == 404
    assert (await editor.api("POST", f"/revisions/{revision}/restore", {})).status_code == 403
    assert {"users", "api_tokens"} <= {found["kind"] for found in await listed(admin)}
    assert (await restored(admin, revision))["key"] == setting["key"]


async def test_what_nobody_can_enter_is_not_restored(admin: Browser, owner: asyncpg.Connection) -> None:
    await factories.api_token(owner)
    await owner.execute("DELETE FROM api_tokens")
    assert (await refused(admin, (await listed(admin, "?kind=api_tokens"))[0]["id"], 405))["status"] == 405


async def test_of_two_editors_the_second_is_told(editor: Browser, log_in: Callable[[str], Awaitable[Browser]]) -> None:
    made = await source(editor, title="1")
    await changed(editor, f"/data-sources/{made['id']}", title="2")
    seen = (await listed(editor))[0]["id"]
    other = await log_in("editor")
    await changed(other, f"/data-sources/{made['id']}", title="3")

    problem = await refused(editor, seen, 412, newest=seen)
    assert "changed meanwhile by editor" in problem["detail"]
    assert (await editor.api("GET", f"/data-sources/{made['id']}")).json()["title"] == "3"

    await restored(editor, seen, newest=(await listed(editor))[0]["id"])
    assert (await editor.api("GET", f"/data-sources/{made['id']}")).json()["title"] == "1"


async def test_filters(editor: Browser, owner: asyncpg.Connection) -> None:
    made = await source(editor)
    await owner.execute("UPDATE data_sources SET title = 'x'")
    name = (await editor.api("GET", "/revisions?kind=data-sources&offset=1")).json()["items"][0]["actor_name"]

    assert len(await listed(editor, f"?kind=data_sources&key={made['id']}")) == 2
    assert len(await listed(editor, f"?kind=data-sources&actor={name[2:]}")) == 1
    assert await listed(editor, "?actor=%25nobody") == []
    assert await listed(editor, "?key=%00") == []
    assert await listed(editor, "?kind=nonsense") == []
    assert await listed(editor, "?since=2999-01-01T00:00:00") == []
    assert await listed(editor, "?since=0001-01-01T00:00:00%2B14:00")
    everything = (await editor.api("GET", "/revisions?limit=1")).json()
    assert len(everything["items"]) == 1
    assert everything["total"] > 1


async def test_a_big_row_is_listed_without_reading_it_and_shown_whole(
    editor: Browser, owner: asyncpg.Connection
) -> None:
    part = await factories.component(owner, type="text", config={"text": "ä" * 1_000_000})
    await owner.execute('UPDATE dashboard_components SET config = \'{"text": "short"}\' WHERE id = $1', part["id"])

    answer = await editor.api("GET", "/revisions?kind=components")
    assert len(answer.content) < 5_000
    found = await details(editor, answer.json()["items"][0]["id"])
    assert found["differences"][0]["path"] == "config.text"
    assert len(found["differences"][0]["before"]) == 1_000_000


async def test_a_component_template_comes_back_and_a_builtin_one_is_left_alone(
    admin: Browser, owner: asyncpg.Connection
) -> None:
    columns = {"kind": "template", "definition": {"components": [{"type": "heading", "config": {"text": "Hi"}}]}}
    await factories.component_type(owner, name="card", title="Card", **columns)
    await owner.execute("UPDATE component_types SET title = 'Changed' WHERE name = 'card'")
    update, _ = await listed(admin, "?kind=component-types&key=card")
    await owner.execute("DELETE FROM component_types WHERE name = 'card'")

    assert (await restored(admin, update["id"]))["outcome"] == "created"
    assert await owner.fetchval("SELECT title FROM component_types WHERE name = 'card'") == "Card"

    await owner.execute("UPDATE component_types SET enabled = false WHERE name = 'heading'")
    await refused(admin, (await listed(admin, "?kind=component-types&key=heading"))[0]["id"], 405)


async def test_who_saves_in_the_moment_of_a_restore_is_not_overwritten(
    editor: Browser, owner: asyncpg.Connection, database: Database
) -> None:
    made = await source(editor, title="1")
    await changed(editor, f"/data-sources/{made['id']}", title="2")
    seen = (await listed(editor))[0]["id"]
    watching = await owner_connection(database)
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("UPDATE data_sources SET title = '3'")

    asked = asyncio.create_task(editor.api("POST", f"/revisions/{seen}/restore", {"newest": seen}))

    async def waits() -> bool:
        return bool(await watching.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(waits, "the restore waits for the other change")
    await transaction.commit()
    assert (await asked).status_code == 412
    assert await owner.fetchval("SELECT title FROM data_sources") == "3"
    await watching.close()

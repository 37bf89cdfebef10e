from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from app.shared.secrets import SecretBox
from app.web.security.tokens import new_token, token_hash
from tests.support import factories
from tests.web.browser import Browser

pytestmark = pytest.mark.usefixtures("types")


@pytest.fixture
async def as_role(
    owner: asyncpg.Connection, visitor: Browser
) -> Callable[..., Awaitable[Callable[..., Awaitable[Any]]]]:
    """A script with a token of this role."""

    async def make(role: str, **token: Any) -> Callable[..., Awaitable[Any]]:
        secret = new_token()
        user = await factories.user(owner, role=token.pop("user_role", role), enabled=token.pop("enabled", True))
        await factories.api_token(
            owner, user_id=user["id"], name="script", role=role, token_hash=token_hash(secret), **token
        )

        async def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
            sent = {"Authorization": f"Bearer {secret}", **headers}
            return await visitor.http.request(method, f"/api/v1{path}", json=body, headers=sent)

        return call

    return make


async def bodies(owner: asyncpg.Connection) -> dict[str, dict[str, Any]]:
    """Something to create of each kind."""
    guild = await factories.guild(owner)
    dashboard = await factories.dashboard(owner, guild_id=guild["id"], name="parent")
    return {
        "dashboards": {"guild_id": str(guild["id"]), "name": "Main", "refresh_rate": 5},
        "components": {"dashboard_id": dashboard["id"], "type": "heading", "config": {"text": "Hello"}},
        "data-sources": {"name": "nas", "type": "static", "config": {"values": {"x": 1}}},
        "services": {"name": "second", "type": "collector"},
        "commands": {"name": "lab", "type": "status", "description": "How the lab is"},
        "actions": {"name": "again", "type": "refresh", "title": "Again"},
        "permission-grants": {"subject_type": "role", "subject_id": "123456789012345678", "permission": "action.run"},
        "settings": {"key": "theme.accent", "value": {"nested": [1, None]}},
        "guilds": {"id": "1400000000000000001", "name": "New", "time_zone": "Europe/Berlin"},
        "component-types": {
            "name": "card",
            "config_schema": {"type": "object", "properties": {"host": {"type": "string"}}},
            "definition": {"components": [{"type": "text", "config": {"text": "${params.host}"}}]},
        },
        "secrets": {"name": "nas_password", "value": "hunter2hunter2"},
    }


async def test_every_kind_can_be_created_read_changed_and_deleted(
    as_role: Callable[..., Any], owner: asyncpg.Connection
) -> None:
    call = await as_role("admin")
    for kind, body in (await bodies(owner)).items():
        created = await call("POST", f"/{kind}", body)
        assert created.status_code == 201, (kind, created.text)
        location = created.headers["location"].removeprefix("/api/v1")
        shown = {name: value for name, value in body.items() if (kind, name) != ("secrets", "value")}
        assert {name: created.json()[name] for name in shown} == shown
        read = await call("GET", location)
        assert (read.status_code, read.json()) == (200, created.json())
        listed = (await call("GET", f"/{kind}?limit=500")).json()
        assert created.json() in listed["items"]
        assert listed["total"] == len(listed["items"])
        changes = {"secrets": {"value": "another.value"}, "settings": {"value": None}}.get(kind, {})
        changes = changes or ({"effect": "deny"} if kind == "permission-grants" else {"enabled": False})
        changed = await call("PATCH", location, changes)
        assert changed.status_code == 200, (kind, changed.text)
        assert all(changed.json().get(name, value) == value for name, value in changes.items())
        assert changed.headers["etag"] != read.headers["etag"]
        assert (await call("DELETE", location)).status_code == 204
        gone = await call("GET", location)
        assert (gone.status_code, gone.json()["title"]) == (404, "Not found")
        verbs = await owner.fetch("SELECT action FROM audit_log WHERE action LIKE $1 ORDER BY id", f"{kind}.%")
        assert [row["action"].partition(".")[2] for row in verbs] == ["create", "update", "delete"]
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE actor_type <> 'api'") == 0


async def test_ids_of_discord_are_text_and_exact(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    guild = await factories.guild(owner, id=1399999999999999999)
    await factories.dashboard(owner, guild_id=guild["id"], channel_id=1388888888888888887)
    (item,) = (await (await as_role("viewer"))("GET", "/dashboards")).json()["items"]
    assert (item["guild_id"], item["channel_id"]) == ("1399999999999999999", "1388888888888888887")
    assert isinstance(item["id"], int)


async def test_components_are_listed_in_their_order(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    await factories.component(owner)
    last = await factories.component(owner, dashboard_id=dashboard["id"], position=9)
    first = await factories.component(owner, dashboard_id=dashboard["id"], position=1)
    call = await as_role("editor")
    found = (await call("GET", f"/components?dashboard_id={dashboard['id']}")).json()
    assert ([item["id"] for item in found["items"]], found["total"]) == ([first["id"], last["id"]], 2)
    made = await call("POST", "/components", {"dashboard_id": dashboard["id"], "type": "separator"})
    assert made.json()["position"] == 10


@pytest.mark.parametrize(
    ("kind", "change", "field", "message"),
    [
        ("components", {"config": {"size": 2}}, "config.text", "is missing"),
        ("components", {"config": {"text": "x", "sise": 2}}, "config.sise", "no such setting"),
        ("components", {"type": "teleport"}, "type", "there is no type “teleport”; known: action_select"),
        ("components", {"dashboard_id": 999_999}, "dashboard_id", "there is no such dashboard"),
        ("dashboards", {"refresh_rate": 1}, "refresh_rate", "input should be greater than or equal to 2"),
        ("dashboards", {"guild_id": "42"}, "guild_id", "there is no such server"),
        ("dashboards", {"layout": {"accent": "pink"}}, "layout.accent", "string should match pattern"),
        ("dashboards", {"name": "   "}, "name", "string should have at least 1 character"),
        ("dashboards", {"colour": "red"}, "colour", "no such field"),
        ("data-sources", {"config": {"values": {"x": "many"}}}, "config.values.x", "must be a number"),
        ("data-sources", {"name": "has space"}, "name", "string should match pattern"),
        ("commands", {"name": "Loud"}, "name", "“loud” cannot be a name"),
        ("permission-grants", {"subject_id": None}, "subject_id", "is missing: the id of the role"),
        ("guilds", {"time_zone": "Mars/Olympus"}, "time_zone", "is no time zone"),
        ("guilds", {"locale": "de_DE"}, "locale", "is no locale"),
        ("guilds", {"locale": "xx-YY"}, "locale", "is not known"),
        ("guilds", {"temperature_unit": "kelvin"}, "temperature_unit", "input should be 'celsius'"),
    ],
)
async def test_an_error_names_the_field(
    *,
    as_role: Callable[..., Any],
    owner: asyncpg.Connection,
    kind: str,
    change: dict[str, Any],
    field: str,
    message: str,
) -> None:
    call = await as_role("admin")
    answer = await call("POST", f"/{kind}", {**(await bodies(owner))[kind], **change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].lower().startswith(message)
    assert answer.json()["detail"] == f"{field}: {error['message']}"


async def test_the_components_of_a_broken_dashboard_can_still_be_read(
    as_role: Callable[..., Any], owner: asyncpg.Connection
) -> None:
    row = await factories.component(owner, type="teleport", config={"anything": [1]}, position=-5)
    call = await as_role("editor")
    assert (await call("GET", f"/components/{row['id']}")).json()["config"] == {"anything": [1]}
    fixed = await call("PATCH", f"/components/{row['id']}", {"type": "heading", "config": {"text": "x"}, "position": 0})
    assert fixed.status_code == 200


async def test_a_duplicate_is_a_conflict(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    call = await as_role("editor")
    body = (await bodies(owner))["actions"]
    assert (await call("POST", "/actions", body)).status_code == 201
    answer = await call("POST", "/actions", body)
    assert answer.status_code == 409
    assert answer.json()["errors"] == [{"field": "name", "message": "another action has this name already"}]
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'actions.create'") == 1


async def test_a_change_for_another_version_is_refused(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    row = await factories.dashboard(owner, name="Main")
    call = await as_role("editor")
    known = (await call("GET", f"/dashboards/{row['id']}")).headers["etag"]
    assert known == '"v1"'
    await factories.component(owner, dashboard_id=row["id"])
    late = await call("PATCH", f"/dashboards/{row['id']}", {"name": "Mine"}, **{"If-Match": known})
    assert late.status_code == 412
    assert (await call("DELETE", f"/dashboards/{row['id']}", **{"If-Match": known})).status_code == 412
    now = (await call("GET", f"/dashboards/{row['id']}")).headers["etag"]
    done = await call("PATCH", f"/dashboards/{row['id']}", {"name": "Mine"}, **{"If-Match": now})
    assert (done.status_code, done.json()["name"]) == (200, "Mine")


async def test_the_types_of_the_program_are_read_only(as_role: Callable[..., Any]) -> None:
    call = await as_role("admin")
    found = (await call("GET", "/component-types/metric")).json()
    assert found["config_schema"]["required"] == ["source", "metric"]
    assert (await call("POST", "/service-types", {"name": "x"})).status_code == 405
    for method in ("PATCH", "DELETE"):
        for path in ("/component-types/metric", "/data-source-types/static"):
            refused = await call(method, path, {"title": "Mine"} if method == "PATCH" else None)
            assert (refused.status_code, "comes with the program" in refused.json()["detail"]) == (405, True)


async def test_roles_hold_for_tokens(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    made = await bodies(owner)
    viewer, editor = await as_role("viewer"), await as_role("editor")
    assert (await viewer("GET", "/dashboards")).status_code == 200
    refused = await viewer("POST", "/dashboards", made["dashboards"])
    assert (refused.status_code, refused.json()["title"]) == (403, "Not allowed")
    assert (await viewer("GET", "/secrets")).status_code == 403
    assert (await viewer("GET", "/audit-log")).status_code == 403
    assert (await editor("POST", "/dashboards", made["dashboards"])).status_code == 201
    for kind in ("secrets", "settings", "permission-grants"):
        assert (await editor("POST", f"/{kind}", made[kind])).status_code == 403
    assert (await editor("GET", "/users")).status_code == 404


async def test_a_token_is_never_more_than_its_user(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    call = await as_role("admin", user_role="viewer")
    assert (await call("POST", "/dashboards", (await bodies(owner))["dashboards"])).status_code == 403


@pytest.mark.parametrize(
    "token", [{"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, {"enabled": False}], ids=["expired", "switched off"]
)
async def test_a_token_that_is_no_longer_good_is_refused(as_role: Callable[..., Any], token: dict[str, Any]) -> None:
    answer = await (await as_role("admin", **token))("GET", "/dashboards")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Log in first"


async def test_a_token_notes_when_it_was_used(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    call = await as_role("viewer", expires_at=datetime.now(UTC) + timedelta(days=1))
    assert (await call("GET", "/dashboards")).status_code == 200
    assert await owner.fetchval("SELECT last_used_at FROM api_tokens") is not None


async def test_an_unknown_token_and_none_are_refused(visitor: Browser) -> None:
    for headers in ({}, {"Authorization": "Bearer hl_guess"}, {"Authorization": "Basic YTpi"}):
        assert (await visitor.http.get("/api/v1/dashboards", headers=headers)).status_code == 401


async def test_secrets_never_come_out(
    as_role: Callable[..., Any], owner: asyncpg.Connection, secret_box: SecretBox
) -> None:
    call = await as_role("admin")
    value = "very.secret.value"
    answers = [await call("POST", "/secrets", {"name": "token", "value": value})]
    key = answers[0].json()["id"]
    answers.append(await call("PATCH", f"/secrets/{key}", {"name": "renamed"}))
    ciphertext = await owner.fetchval("SELECT ciphertext FROM secrets")
    assert secret_box.open(ciphertext) == value
    answers += [await call("GET", path) for path in (f"/secrets/{key}", "/secrets", "/audit-log")]
    answers.append(await call("POST", "/secrets", {"name": "bad name", "value": value}))
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 422]
    for answer in answers:
        assert value not in answer.text
        assert ciphertext.decode() not in answer.text
    assert set(answers[2].json()) == {"id", "name", "created_at", "updated_at"}


async def test_a_password_in_a_config_is_not_in_the_audit_log(
    as_role: Callable[..., Any], owner: asyncpg.Connection
) -> None:
    call = await as_role("editor")
    body = {"name": "nas", "type": "static", "config": {"values": {}, "password": "hunter2hunter2"}}
    assert (await call("POST", "/data-sources", body)).status_code == 201
    detail = await owner.fetchval("SELECT detail FROM audit_log")
    assert detail["values"]["config"] == {"values": {}, "password": "(hidden)"}


async def test_saving_announces_the_change(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    announced: list[dict[str, Any]] = []
    await owner.add_listener("homelab_changes", lambda *message: announced.append(json.loads(message[-1])))
    row = await factories.action(owner, name="wake")
    call = await as_role("editor")
    await call("PATCH", f"/actions/{row['id']}", {"title": "Wake up"})
    await owner.fetchval("SELECT 1")
    assert announced[-1] == {"table": "actions", "id": row["id"], "op": "UPDATE", "parent": None}


async def test_the_preview_is_what_the_bot_builds(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner, name="Main", layout={"accent": "#112233"})
    part = {"dashboard_id": dashboard["id"]}
    await factories.component(owner, **part, type="heading", config={"text": "{{ dashboard.name }}"})
    await factories.component(owner, **part, position=1, page="B", type="text", config={"text": "second"})
    await factories.component(
        owner, **part, position=2, type="metric", name="Old", config={"source": "nas", "metric": "x"}
    )
    call = await as_role("viewer")
    found = (await call("GET", f"/dashboards/{dashboard['id']}/preview")).json()
    (container,) = found["blocks"]
    assert (container["kind"], container["accent"]) == ("container", "#112233")
    assert container["children"][0] == {"kind": "text", "text": "## Main"}
    assert (found["page"], found["pages"]) == ("B", ["B"])
    assert [problem["title"] for problem in found["problems"]] == ["Old"]
    assert "There is no data source" in found["problems"][0]["detail"]
    assert (await call("GET", "/dashboards/999999/preview")).status_code == 404


async def test_the_preview_shows_every_message(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    for number in range(3):
        config = {"text": f"part{number} " + "x" * 3_000}
        await factories.component(owner, dashboard_id=dashboard["id"], position=number, type="text", config=config)
    call = await as_role("viewer")
    found = (await call("GET", f"/dashboards/{dashboard['id']}/preview")).json()
    messages = [found["blocks"], *(message["blocks"] for message in found["following"])]
    shown = [container["children"][0]["text"].split()[0] for (container,) in messages]
    assert shown == ["part0", "part1", "part2"]
    assert len({found["fingerprint"], *(message["fingerprint"] for message in found["following"])}) == 3


async def test_the_description_holds_every_kind(visitor: Browser, admin: Browser) -> None:
    described = (await admin.get("/api/v1/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert {"get", "patch", "delete"} <= set(described["paths"]["/dashboards/{key}"])
    assert set(described["paths"]["/service-types/{key}"]) == {"get"}
    assert "ciphertext" not in json.dumps(described)
    secret = described["components"]["schemas"]["Secret"]["properties"]
    assert "value" not in secret


async def test_who_may_only_look_does_not_see_what_could_be_a_secret(
    as_role: Callable[..., Any], owner: asyncpg.Connection, viewer: Browser, editor: Browser
) -> None:
    config = {"values": {}, "password": "hunter2hunter2", "token": "${secret:nas}"}
    row = await factories.data_source(owner, name="nas", config=config)
    script = await as_role("viewer")
    shown = (await script("GET", f"/data-sources/{row['id']}")).json()["config"]
    assert shown == {"values": {}, "password": "(hidden)", "token": "${secret:nas}"}
    assert "hunter2" not in (await script("GET", "/data-sources")).text
    path = f"/admin/data-sources/detail?pk={row['id']}"
    assert "hunter2" not in (await viewer.get(path)).text
    assert "hunter2" in (await editor.get(path)).text
    assert (await (await as_role("editor"))("GET", f"/data-sources/{row['id']}")).json()["config"] == config


async def test_variables_may_stand_where_a_number_is_wanted(
    as_role: Callable[..., Any], owner: asyncpg.Connection
) -> None:
    call = await as_role("editor")
    dashboard = await factories.dashboard(owner)
    body = {"dashboard_id": dashboard["id"], "type": "table"}
    config = {"source": "${variables.host}", "items": "rows", "columns": [{"field": "name"}], "limit": "${variables.n}"}
    assert (await call("POST", "/components", {**body, "config": config})).status_code == 201
    for wrong in ("many", "${other.n}"):
        answer = await call("POST", "/components", {**body, "config": {**config, "limit": wrong}})
        assert [error["field"] for error in answer.json()["errors"]] == ["config.limit"]


async def test_a_wrong_variable_of_a_dashboard_is_named(as_role: Callable[..., Any], owner: asyncpg.Connection) -> None:
    call = await as_role("editor")
    guild = await factories.guild(owner)
    layout = {"variables": [{"name": "host", "type": "query", "items": "rows"}]}
    answer = await call("POST", "/dashboards", {"guild_id": str(guild["id"]), "name": "x", "layout": layout})
    (error,) = answer.json()["errors"]
    assert error["field"].startswith("layout.variables.0")
    assert "source is needed for a query" in error["message"]

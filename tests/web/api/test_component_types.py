"""Component types that are made of others, through the REST API."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.support import factories
from tests.web.api.conftest import Call

pytestmark = pytest.mark.usefixtures("types")
CARD = {
    "name": "card",
    "title": "Card",
    "config_schema": {
        "type": "object",
        "properties": {"host": {"type": "string"}, "limit": {"type": "integer", "default": 3}},
        "required": ["host", "limit"],
        "additionalProperties": False,
    },
    "definition": {"components": [{"type": "text", "config": {"text": "${params.host} {{ params.limit }}"}}]},
}


async def wrong(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [f"{error['field']}: {error['message']}" for error in answer.json()["errors"]]


async def test_a_new_type_can_be_used_at_once(call: Call, owner: asyncpg.Connection) -> None:
    made = await call("POST", "/component-types", CARD)
    assert (made.status_code, made.json()["kind"]) == (201, "template")
    dashboard = await factories.dashboard(owner)
    component = {"dashboard_id": dashboard["id"], "type": "card"}
    assert await wrong(await call("POST", "/components", component)) == ["config.host: is missing"]
    assert (await call("POST", "/components", {**component, "config": {"host": "nas"}})).status_code == 201
    shown = (await call("GET", f"/dashboards/{dashboard['id']}/preview")).json()
    assert shown["blocks"][0]["children"][0]["text"] == "nas 3"


async def test_what_is_wrong_is_refused(call: Call) -> None:
    broken = {**CARD, "definition": {"components": [{"type": "text", "config": {"text": "${params.hots}"}}]}}
    (error,) = await wrong(await call("POST", "/component-types", broken))
    assert error.startswith("definition.components.0.config: ${params.hots}: there is no parameter “hots”")
    (error,) = await wrong(await call("POST", "/component-types", {**CARD, "name": "gauge"}))
    assert error == "name: is the name of a type that comes with the program; choose another"
    (error,) = await wrong(await call("POST", "/component-types", {**CARD, "config_schema": {"type": "array"}}))
    assert error.startswith("config_schema.type: must be object")
    assert "definition" in (await wrong(await call("POST", "/component-types", {"name": "card"})))[0]


async def test_a_cycle_is_refused(call: Call) -> None:
    await call("POST", "/component-types", CARD)
    outer = {"components": [{"type": "card", "config": {"host": "x"}}]}
    assert (await call("POST", "/component-types", {"name": "outer", "definition": outer})).status_code == 201
    back = {"components": [{"type": "group", "config": {"children": [{"type": "outer", "config": {}}]}}]}
    (error,) = await wrong(await call("PATCH", "/component-types/card", {"definition": back}))
    assert error == "definition: the type would contain itself: card → outer → card"


async def test_a_type_in_use_keeps_its_name_and_its_row(call: Call, owner: asyncpg.Connection) -> None:
    await call("POST", "/component-types", CARD)
    used = await factories.dashboard(owner, name="Used “here”")
    await factories.component(owner, dashboard_id=used["id"], type="card", config={"host": "x"})
    nested = await factories.dashboard(owner, name="Within")
    group = {"children": [{"type": "card", "config": {"host": "x"}}]}
    await factories.component(owner, dashboard_id=nested["id"], type="group", config=group)
    await call("POST", "/component-types", {"name": "outer", "definition": {"components": group["children"]}})
    users = "the dashboard “Used “here””, the dashboard “Within”, the component type “outer”"
    for method, change, what in (("DELETE", None, "deleted"), ("PATCH", {"name": "other"}, "renamed")):
        (error,) = await wrong(await call(method, "/component-types/card", change))
        assert error == (f"name: cannot be {what} while it is used by {users}. Change those first, or switch it off")
    assert (await call("PATCH", "/component-types/card", {"title": "Other", "enabled": False})).status_code == 200
    await owner.execute("DELETE FROM dashboards")
    assert (await call("DELETE", "/component-types/outer")).status_code == 204
    renamed = await call("PATCH", "/component-types/card", {"name": "other"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "other")
    assert (await call("GET", "/component-types/card")).status_code == 404
    assert (await call("DELETE", "/component-types/other")).status_code == 204


async def test_components_within_others_are_checked(call: Call, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner)
    config = {"children": [{"type": "text", "config": {"text": "{{ x"}}, {"type": "gone", "config": {}}]}
    body = {"dashboard_id": dashboard["id"], "type": "group", "config": config}
    template, unknown = await wrong(await call("POST", "/components", body))
    assert template.startswith("config.children.0.config.text: is no Jinja2 template")
    assert unknown.startswith("config.children.1.type: there is no type “gone”")

"""Running an action from the web admin, by page and by API: what waits in the queue is what the bot will run."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from app.bot.application.actions.base import Action
from app.bot.domain.readings.reading import Reading, Status
from app.bot.infrastructure.actions import action_types
from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.rendering import NOW
from tests.web.api.conftest import Call, call
from tests.web.browser import Browser

__all__ = ["call"]
PARAMETERS: list[dict[str, Any]] = [
    {"name": "room", "title": "Room", "type": "choice", "choices_from": {"source": "house", "items": "rooms"}},
    {"name": "times", "type": "integer", "min": 1, "max": 3, "default": 2},
    {"name": "key", "secret": True, "required": False},
]
CONFIG = {"url": "http://api.invalid/${params.room}", "parameters": PARAMETERS, "concurrency": 2}


@pytest.fixture
async def action(owner: asyncpg.Connection) -> asyncpg.Record:
    model: type[Action] = action_types["http_request"]
    await factories.action_type(owner, name="http_request", config_schema=model.model_json_schema())
    await factories.service(owner, name="actions", type="actions")
    source = await factories.data_source(owner, name="house", type="static")
    reading = Reading(NOW, Status.UP, "", (), {"rooms": [{"name": "<rack>"}, {"name": "desk"}]})
    await factories.source_state(owner, data_source_id=source["id"], reading=reading.to_json())
    return await factories.action(owner, name="call", title="Call it", type="http_request", config=CONFIG)


async def test_the_form_asks_for_the_parameters_and_the_run_waits(
    editor: Browser, owner: asyncpg.Connection, action: asyncpg.Record, secret_box: SecretBox
) -> None:
    address = f"/actions/{action['id']}"
    page = (await editor.get(address)).text
    assert '<option value="&lt;rack&gt;">&lt;rack&gt;</option>' in page
    assert 'value="2"' in page

    done = await editor.post(address, {"p.room": "<rack>", "p.times": "3", "p.key": "hunter2"})

    run = await owner.fetchrow("SELECT * FROM action_runs")
    assert run is not None
    assert (done.status_code, done.headers["location"]) == (303, f"/action-runs/{run['id']}")
    assert (run["state"], run["origin"], run["dry_run"]) == ("queued", "web", False)
    assert run["user_id"] == str(editor.user_id)
    assert run["parameters"] == {"room": "<rack>", "times": 3, "key": "•••"}
    assert "hunter2" in secret_box.open(run["sealed"])
    payloads = await owner.fetch("SELECT payload FROM pgqueuer")
    assert [row["payload"] for row in payloads] == [str(run["id"]).encode()]
    shown = (await editor.get(f"/action-runs/{run['id']}")).text
    assert "It waits for the bot" in shown
    assert "hunter2" not in shown
    await owner.execute("UPDATE action_runs SET state = 'done', result = 'Well <done>', output = 'out'")
    state = (await editor.get(f"/action-runs/{run['id']}/state")).text
    assert "Well &lt;done&gt;" in state
    assert "hx-get" not in state
    assert (await editor.get("/admin/action-runs/list")).status_code == 200


async def test_wrong_values_and_limits_are_said_on_the_page(
    editor: Browser, owner: asyncpg.Connection, action: asyncpg.Record
) -> None:
    address = f"/actions/{action['id']}"
    wrong = await editor.post(address, {"p.room": "cellar", "p.times": "3"})
    assert wrong.status_code == 422
    assert "“Room” must be one of: &lt;rack&gt;, desk." in wrong.text
    for _ in range(2):
        assert (await editor.post(address, {"p.room": "desk"})).status_code == 303
    assert "It is running already" in (await editor.post(address, {"p.room": "desk"})).text
    states = [row["state"] for row in await owner.fetch("SELECT state FROM action_runs ORDER BY id")]
    assert states == ["refused", "queued", "queued", "refused"]
    await owner.execute("UPDATE services SET enabled = false")
    assert "no service of the type “actions”" in (await editor.post(address, {"p.room": "desk"})).text


async def test_a_viewer_neither_runs_nor_sees_runs(
    viewer: Browser, owner: asyncpg.Connection, action: asyncpg.Record
) -> None:
    run = await factories.action_run(owner)
    assert (await viewer.get(f"/actions/{action['id']}")).status_code == 403
    assert (await viewer.post(f"/actions/{action['id']}", {"p.room": "desk"})).status_code == 403
    assert (await viewer.get(f"/action-runs/{run['id']}")).status_code == 403
    (refused,) = await owner.fetch("SELECT * FROM action_runs WHERE id <> $1", run["id"])
    assert (refused["state"], refused["user_id"]) == ("refused", str(viewer.user_id))


async def test_the_api_runs_actions_and_lists_runs(
    call: Call, owner: asyncpg.Connection, action: asyncpg.Record
) -> None:
    address = f"/actions/{action['id']}/run"
    asked = await call("POST", address, {"parameters": {"room": "desk"}, "dry_run": True})
    assert asked.status_code == 202
    assert asked.json()["state"] == "queued"
    assert asked.headers["location"] == f"/api/v1/action-runs/{asked.json()['id']}"
    assert "sealed" not in asked.json()
    wrong = await call("POST", address, {"parameters": {"rooms": "desk"}})
    assert wrong.status_code == 422
    assert "There is no parameter “rooms”" in wrong.json()["detail"]
    assert (await call("POST", "/actions/9999/run", {})).status_code == 404
    listed = await call("GET", "/action-runs")
    assert [(run["state"], run["dry_run"]) for run in listed.json()["items"]] == [("queued", True), ("refused", False)]


async def test_placeholders_are_taken_where_a_form_wants_something_else(
    call: Call, owner: asyncpg.Connection, action: asyncpg.Record
) -> None:
    parameters = [{"name": "code", "type": "integer"}]
    config = {"url": "http://nas/", "expected": ["${params.code}"], "parameters": parameters}
    body = {"name": "other", "type": "http_request", "config": config}
    assert (await call("POST", "/actions", body)).status_code == 201
    config = {"url": "http://nas/${params.missing}", "parameters": parameters}
    refused = await call("POST", "/actions", {**body, "name": "third", "config": config})
    assert refused.status_code == 422
    assert "there is no parameter “missing”" in refused.json()["detail"]

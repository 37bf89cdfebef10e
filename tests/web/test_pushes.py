"""Calls from outside: by an address that is the key, without a login."""

from __future__ import annotations

import asyncio
import html
import json
import re
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.web.security.call_limit import CallLimit
from tests.support import factories
from tests.web.browser import Browser
from tests.web.conftest import Clock


@pytest.fixture
async def source(owner: asyncpg.Connection) -> asyncpg.Record:
    return await factories.data_source(owner, name="backup", type="push")


async def make(browser: Browser, source: asyncpg.Record) -> str:
    """Make an address on the page of the source; gives its path."""
    page = (await browser.post(f"/data-sources/{source['id']}/push-address")).text
    found = re.search(r'id="push-address">http://web\.test(/push/\S+)</code>', page)
    assert found is not None, page
    return html.unescape(found[1])


@pytest.fixture
async def path(editor: Browser, source: asyncpg.Record) -> str:
    return await make(editor, source)


async def stored(owner: asyncpg.Connection) -> dict[str, Any]:
    row = await owner.fetchrow("SELECT * FROM pushes")
    assert row is not None
    return dict(row)


async def test_a_call_without_a_login(owner: asyncpg.Connection, visitor: Browser, path: str) -> None:
    assert (await stored(owner))["called_at"] is None
    answer = await visitor.get(path)
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "set-cookie" not in answer.headers
    row = await stored(owner)
    assert row["called_at"] is not None
    assert (row["calls"], row["status"], row["message"], row["metrics"]) == (1, "up", "", {})


SAYING = {"status": "degraded", "message": "Only half"}


@pytest.mark.parametrize(
    ("request_options", "metrics"),
    [
        ({"method": "GET", "params": {**SAYING, "value": "12.5"}}, {"value": 12.5}),
        ({"method": "POST", "params": {**SAYING, "value": "12.5"}}, {"value": 12.5}),
        ({"method": "POST", "data": {**SAYING, "value": "12.5"}}, {"value": 12.5}),
        ({"method": "POST", "json": {**SAYING, "metrics": {"files": 3, "size": 1e9}}}, {"files": 3, "size": 1e9}),
        ({"method": "GET", "params": {"status": "warn", "msg": "Only  half", "ping": "20"}}, {"ping": 20}),
    ],
)
async def test_what_a_call_says(
    owner: asyncpg.Connection, visitor: Browser, path: str, request_options: dict[str, Any], metrics: dict[str, float]
) -> None:
    answer = await visitor.http.request(url=path, **request_options)
    assert answer.status_code == 200, answer.text
    row = await stored(owner)
    assert (row["status"], row["message"], row["metrics"]) == ("degraded", "Only half", metrics)


@pytest.mark.parametrize(
    ("request_options", "problem"),
    [
        ({"params": {"status": "fine"}}, "status: must be up, degraded or down"),
        ({"params": {"value": "much"}}, "value: must be a number, such as 12.5"),
        ({"params": {"value": "nan"}}, "value: must be a number, such as 12.5"),
        ({"json": {"metrics": [1]}}, "metrics: must be at most 50 numbers by name"),
        ({"json": {"metrics": {"age": 1}}}, "metrics: needs names of one line, other than age and calls"),
        ({"json": {"metrics": {"size": None}}}, "size: must be a number, such as 12.5"),
        ({"json": [1]}, 'The body must be a JSON object, such as {"status": "up"}'),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, "The body is not JSON"),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, "The body is not JSON"),
    ],
)
async def test_a_call_that_makes_no_sense_is_told_why(
    owner: asyncpg.Connection, visitor: Browser, path: str, request_options: dict[str, Any], problem: str
) -> None:
    answer = await visitor.http.post(path, **request_options)
    assert (answer.status_code, answer.text) == (422, f"{problem}\n")
    assert (await stored(owner))["called_at"] is None


async def test_odd_texts_are_stored(owner: asyncpg.Connection, visitor: Browser, path: str) -> None:
    body = json.dumps({"message": "a\0b\ud800\n" + "x" * 9_000})
    answer = await visitor.http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    message = (await stored(owner))["message"]
    assert message.startswith("ab? xxx")
    assert len(message) == 500


async def test_unknown_addresses(visitor: Browser, path: str, source: asyncpg.Record) -> None:
    for wrong in (path + "x", path[:-1], "/push/x", "/push/" + "y" * 5_000, f"/push/{source['id']}", "/push/%00"):
        answer = await visitor.get(wrong)
        assert answer.status_code == 404, wrong
    assert (await visitor.get("/push/")).status_code == 404


async def test_a_new_address_ends_the_old_one_and_a_removed_source_its_address(
    owner: asyncpg.Connection, editor: Browser, visitor: Browser, source: asyncpg.Record, path: str
) -> None:
    await visitor.get(path)
    other = await make(editor, source)
    assert (await stored(owner))["calls"] == 0
    assert (await visitor.get(path)).status_code == 404
    assert (await visitor.get(other)).status_code == 200
    await owner.execute("UPDATE data_sources SET type = 'static'")
    assert (await visitor.get(other)).status_code == 404
    await owner.execute("DELETE FROM data_sources")
    assert (await visitor.get(other)).status_code == 404
    assert await owner.fetchval("SELECT count(*) FROM pushes") == 0


async def test_the_token_is_stored_and_shown_nowhere(
    owner: asyncpg.Connection, editor: Browser, visitor: Browser, source: asyncpg.Record, path: str
) -> None:
    await visitor.get(path)
    token = path.removeprefix("/push/")
    page = (await editor.get(f"/data-sources/{source['id']}")).text
    assert "1 call in all" in page
    assert token not in page
    for table in ("pushes", "audit_log", "revisions"):
        assert token not in str(await owner.fetch(f"SELECT * FROM {table}"))
    assert await owner.fetchval("SELECT count(*) FROM audit_log WHERE action = 'data-sources.push_address'") == 1


async def test_who_only_looks_makes_no_address(
    owner: asyncpg.Connection, viewer: Browser, editor: Browser, source: asyncpg.Record
) -> None:
    assert (await viewer.post(f"/data-sources/{source['id']}/push-address")).status_code == 403
    assert "Make an address" not in (await viewer.get(f"/data-sources/{source['id']}")).text
    assert "Make an address" in (await editor.get(f"/data-sources/{source['id']}")).text
    other = await factories.data_source(owner, type="static")
    assert (await editor.post(f"/data-sources/{other['id']}/push-address")).status_code == 404


async def test_an_address_by_the_rest_api(
    owner: asyncpg.Connection, editor: Browser, viewer: Browser, visitor: Browser, source: asyncpg.Record
) -> None:
    answer = await editor.api("POST", f"/data-sources/{source['id']}/push-address")
    assert answer.status_code == 201
    assert (await visitor.get(answer.json()["path"])).status_code == 200
    assert (await viewer.api("POST", f"/data-sources/{source['id']}/push-address")).status_code == 403
    other = await factories.data_source(owner, type="static")
    answer = await editor.api("POST", f"/data-sources/{other['id']}/push-address")
    assert answer.status_code == 422
    assert "must be push" in answer.text


async def test_too_many_calls_are_refused_and_guesses_hold_up_nobody_else(
    app: FastAPI, visitor: Browser, path: str, clock: Clock
) -> None:
    limits = app.state.web.push_limits
    limits.calls, limits.guesses = CallLimit(2, 10, clock), CallLimit(1, 30, clock)
    assert [(await visitor.get(path)).status_code for _ in range(3)] == [200, 200, 429]
    refused = await visitor.get(path)
    assert refused.headers["retry-after"] == "10"
    clock.now += 10
    assert (await visitor.get(path)).status_code == 200
    clock.now += 30
    assert [(await visitor.get("/push/wrong")).status_code for _ in range(2)] == [404, 429]
    assert (await visitor.get(path)).status_code == 200


async def test_the_bot_is_told(owner: asyncpg.Connection, visitor: Browser, path: str, source: asyncpg.Record) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await owner.add_listener("homelab_changes", lambda *said: heard.put_nowait(json.loads(said[3])))
    assert (await visitor.get(path)).status_code == 200
    change = await asyncio.wait_for(heard.get(), 10)
    assert (change["table"], change["id"]) == ("pushes", source["id"])


async def test_a_proxy_may_ask_with_head_for_nothing(visitor: Browser, path: str) -> None:
    answer: httpx.Response = await visitor.http.head(path)
    assert answer.status_code == 405

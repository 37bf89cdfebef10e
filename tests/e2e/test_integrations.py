"""Integrations: a row is all it takes, from the type to the message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.definitions.actors import WebActor
from app.definitions.roles import Role
from app.shared.database.core.engine import create_engine
from app.web.source_tests import NO_BOT, SourceTestRequest, run_source_test
from tests.e2e.lab import Lab
from tests.support import factories
from tests.support.local_servers import http_server
from tests.support.waiting import until

ADA = WebActor("web", 1, "ada", Role.EDITOR)
SCHEMA = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {"url": {"type": "string"}, "token": {"type": "string", "default": ""}},
}


def definition(path: str) -> dict[str, Any]:
    return {
        "url": "${params.url}",
        "auth": {"type": "bearer", "token": "${params.token}"},
        "requests": [{"name": "status", "path": "/status"}],
        "metrics": [{"name": "toner", "path": path, "unit": "percent"}],
        "items": [{"name": "trays", "path": "status.trays"}],
    }


@pytest.fixture
async def printer() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        trays = [{"name": "A4", "echo": request.headers.get("Authorization")}]
        return web.json_response({"black": 42, "cyan": 7, "trays": trays, "odd": "a\x00b"})

    async with http_server(answer) as address:
        yield address


@pytest.fixture
async def sessions(lab: Lab) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_engine(lab.database.owner_url)

    async def seen() -> bool:
        return bool(await lab.owner.fetchval("SELECT count(*) FROM bot_instances"))

    await until(seen, "the bot's first heartbeat")
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


async def test_a_type_and_a_source_by_sql_are_shown_and_follow_the_type(lab: Lab, printer: str) -> None:
    await lab.dashboard({"type": "metric", "config": {"source": "hp", "metric": "toner", "label": "Toner"}})
    await factories.data_source_type(
        lab.owner, name="printer", kind="integration", config_schema=SCHEMA, definition=definition("status.black")
    )
    await lab.source(name="hp", type="printer", config={"url": printer}, interval_seconds=3600)
    await lab.until_shown("42")
    await lab.owner.execute(
        "UPDATE data_source_types SET definition = $1 WHERE name = 'printer'", definition("status.cyan")
    )
    await lab.until_shown("7")


async def test_a_test_tells_everything_it_saw_and_no_secret(
    lab: Lab, printer: str, sessions: async_sessionmaker[AsyncSession]
) -> None:
    await factories.secret(lab.owner, lab.box, "t0psecret", name="printer")
    integration = {"config_schema": SCHEMA, "definition": definition("status.black")}
    config = {"url": printer, "token": "${secret:printer}"}
    seen = await run_source_test(sessions, ADA, SourceTestRequest("unsaved", config, 10, integration))
    assert seen["error"] is None
    assert [(one["name"], one["value"]) for one in seen["reading"]["metrics"]] == [("toner", 42)]
    (sent,) = seen["requests"]
    assert (sent["name"], sent["method"], sent["result"]) == ("status", "GET", "200 OK")
    assert json.loads(seen["answers"]["status"].replace("\ufffd", ""))["black"] == 42
    assert seen["reading"]["items"]["trays"][0]["name"] == "A4"
    everything = json.dumps(seen) + str(await lab.owner.fetch("SELECT * FROM source_tests"))
    assert "t0psecret" not in everything


async def test_a_builtin_type_is_tested_too_and_what_is_wrong_is_named(
    lab: Lab, sessions: async_sessionmaker[AsyncSession]
) -> None:
    del lab
    seen = await run_source_test(
        sessions, ADA, SourceTestRequest("static", {"metrics": [{"name": "answer", "value": 42}]})
    )
    assert [metric["value"] for metric in seen["reading"]["metrics"]] == [42]
    assert "url" in (await run_source_test(sessions, ADA, SourceTestRequest("http_json", {})))["error"]
    assert (
        "Unknown data source type" in (await run_source_test(sessions, ADA, SourceTestRequest("nonsense", {})))["error"]
    )


async def test_a_source_that_hangs_is_given_up(lab: Lab, sessions: async_sessionmaker[AsyncSession]) -> None:
    del lab

    async def hang(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with http_server(hang) as address:
        seen = await run_source_test(sessions, ADA, SourceTestRequest("http_json", {"url": address}, 0.2))
    assert seen["error"] == "No answer within 0.2 s"


async def test_without_a_bot_the_answer_says_so(lab: Lab, sessions: async_sessionmaker[AsyncSession]) -> None:
    await lab.stop_bot()
    seen = await run_source_test(sessions, ADA, SourceTestRequest("static", {}, 0.1))
    assert seen["error"] == NO_BOT

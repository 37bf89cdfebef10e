"""HTTP requests, sent to a real server."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from app.bot.application.actions.base import ActionFailedError
from app.bot.infrastructure.network.http_requests import RequestFailedError
from tests.bot.infrastructure.actions.conftest import Run
from tests.support.local_servers import http_server, nobody

TOKEN = "s3cr3t-t0ken"  # a made-up one


async def echo(request: web.Request) -> web.Response:
    seen = {
        "method": request.method,
        "path": request.raw_path,
        "body": await request.text(),
        "auth": request.headers.get("Authorization"),
    }
    return web.json_response(seen, status=int(request.query.get("status", "200")))


async def test_what_is_configured_is_sent_and_secrets_are_hidden(run: Run) -> None:
    async with http_server(echo) as address:
        result = await run(
            "http_request",
            url=f"{address}/restart?key=${{secret:token}}",
            method="PUT",
            body={"name": "plex", "key": "${secret:token}"},
            auth={"type": "bearer", "token": "${secret:token}"},
        )

    assert result.text == "The server answered 200 OK."
    assert result.output_name == "answer.json"
    seen = json.loads(result.output)
    assert (seen["method"], seen["auth"]) == ("PUT", "•••")
    assert seen["path"] == "/restart?key=•••"
    assert TOKEN not in result.output


async def test_what_is_not_expected_is_a_failure(run: Run) -> None:
    async with http_server(echo) as address:
        with pytest.raises(ActionFailedError, match=r"The server answered 503 Service Unavailable: \{"):
            await run("http_request", url=f"{address}/?status=503")
        result = await run("http_request", url=f"{address}/?status=409", expected=[200, 409], show_answer=False)
    assert (result.text, result.output) == ("The server answered 409 Conflict.", "")


async def test_nobody_there_is_a_sentence(run: Run) -> None:
    async with nobody() as address:
        with pytest.raises(RequestFailedError, match="Connection refused"):
            await run("http_request", url=address)


async def test_home_assistant_is_called(run: Run) -> None:
    asked = []

    async def handle(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers["Authorization"], await request.json()))
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return web.Response(status=401)
        return web.json_response([{"entity_id": "light.rack", "state": "on"}])

    async with http_server(handle) as address:
        config = {"url": address, "service": "light.turn_on", "data": {"entity_id": "light.rack"}}
        result = await run("home_assistant", token="${secret:token}", **config)
        with pytest.raises(ActionFailedError, match="The token is not valid"):
            await run("home_assistant", token="wrong", **config)

    assert asked[0] == ("/api/services/light/turn_on", f"Bearer {TOKEN}", {"entity_id": "light.rack"})
    assert result.text == "Called light.turn_on. Changed: light.rack."

"""Integrations whose server takes calls over a WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.integrations.source import IntegrationSource
from tests.support.local_servers import http_server

AUTH: dict[str, Any] = {
    "type": "json_rpc",
    "path": "/api/current",
    "login": {"method": "auth.login", "params": [{"user": "${params.user}", "key": "${params.key}"}]},
    "accepted": "said=='yes'",
}
DEFINITION: dict[str, Any] = {
    "auth": AUTH,
    "requests": [
        {"name": "pools", "rpc": {"method": "pool.query", "params": [[["name", "=", "${params.user}"]]]}},
        {"name": "info", "rpc": {"method": "system.info"}, "optional": True},
    ],
    "metrics": [{"name": "pools", "path": "length(pools)"}, {"name": "load", "path": "info.load"}],
}


class Service:
    """A server of calls; counts what it was asked, and fails as it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.sockets = 0
        self.closed = asyncio.Event()
        self.error: dict[str, Any] | None = None
        self.pools: list[Any] = [{"name": "tank"}, {"name": "fast"}]
        self.hangs_up = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path != "/nas/api/current":
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets += 1
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            call = message.json()
            self.calls.append((call["method"], call["params"]))
            if self.hangs_up and call["method"] == "pool.query":
                break
            await socket.send_json({"jsonrpc": "2.0", "method": "collection_update", "params": {}})
            await socket.send_json({"jsonrpc": "2.0", "id": call["id"], **self.result(call)})
        self.closed.set()
        return socket

    def result(self, call: dict[str, Any]) -> dict[str, Any]:
        match call["method"]:
            case "auth.login":
                return {"result": {"said": "yes" if call["params"][0]["key"] == "s3cr3t/k+ey" else "no"}}
            case "pool.query":
                return {"result": self.pools}
        return {"error": self.error} if self.error else {"result": {"load": 0.5}}

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]


async def test_one_log_in_for_all_calls_of_a_reading(open_source: Any) -> None:
    service = Service()
    async with http_server(service.answer) as address:
        source: IntegrationSource = open_source(DEFINITION, url=f"{address}/nas", user="me", key="${secret:key}")
        reading = await source.read()
        await asyncio.wait_for(service.closed.wait(), 5)
        assert {one.name: one.value for one in reading.metrics} == {"pools": 2, "load": 0.5}
        assert service.methods()[0] == "auth.login"
        assert sorted(service.methods()[1:]) == ["pool.query", "system.info"]
        assert ("pool.query", [[["name", "=", "me"]]]) in service.calls
        await source.read()
    assert (service.sockets, service.methods().count("auth.login")) == (2, 2)


async def test_wrong_credentials_are_tried_once_and_never_shown(open_source: Any) -> None:
    service = Service()
    async with http_server(service.answer) as address:
        source = open_source(DEFINITION, url=f"{address}/nas", key="${secret:other}")
        for _ in range(2):
            with pytest.raises(HomelabError, match=r"refused\. Check the credentials") as caught:
                await source.read()
            assert "0th3r" not in str(caught.value)
        result = await source.test()
    assert service.methods() == ["auth.login"]
    assert "0th3r" not in repr(result)


async def test_a_call_that_goes_wrong_says_why(open_source: Any) -> None:
    service = Service()
    service.error = {"code": -32001, "message": "Method call error", "data": {"reason": "[ENOENT] s3cr3t/k+ey is gone"}}
    async with http_server(service.answer) as address:
        reading = await open_source(DEFINITION, url=f"{address}/nas", key="${secret:key}").read()
    assert reading.status == "degraded"
    assert reading.message.startswith("info: Answered with an error: [ENOENT]")
    assert "s3cr3t" not in reading.message
    assert {one.name: one.value for one in reading.metrics} == {"pools": 2, "load": None}


async def test_a_server_that_hangs_up_is_said_to(open_source: Any) -> None:
    service = Service()
    service.hangs_up = True
    async with http_server(service.answer) as address:
        with pytest.raises(HomelabError, match="The server closed the connection"):
            await open_source(DEFINITION, url=f"{address}/nas", key="${secret:key}").read()


async def test_an_answer_over_the_limit_names_the_setting(open_source: Any) -> None:
    service = Service()
    service.pools = ["x" * 1_100_000]
    async with http_server(service.answer) as address:
        config = {"url": f"{address}/nas", "key": "${secret:key}", "connection": {"max_mebibytes": 1}}
        with pytest.raises(HomelabError, match=r"larger than 1 MiB.*max_mebibytes"):
            await open_source(DEFINITION, **config).read()


async def test_a_long_answer_arrives_whole(open_source: Any) -> None:
    service = Service()
    service.pools = ["x" * 100] * 5_000
    async with http_server(service.answer) as address:
        reading = await open_source(DEFINITION, url=f"{address}/nas", key="${secret:key}").read()
    assert reading.metrics[0].value == 5_000


async def test_a_server_without_websocket_is_no_such_server(open_source: Any) -> None:
    async with http_server(Service().answer) as address:
        with pytest.raises(HomelabError, match="No WebSocket there: answered 404"):
            await open_source(DEFINITION, url=address, key="${secret:key}").read()


@pytest.mark.parametrize(
    "changed",
    [
        {"auth": {"type": "none"}},
        {"requests": [{"name": "pools", "path": "/pools"}]},
    ],
)
def test_calls_and_requests_of_http_do_not_mix(open_source: Any, changed: dict[str, Any]) -> None:
    with pytest.raises(HomelabError, match=r"requests\.pools: rpc and auth of type json_rpc belong together"):
        open_source({**DEFINITION, **changed}, url="http://nas")

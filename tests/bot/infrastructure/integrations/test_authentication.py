"""How the source of an integration logs in, and that no secret is seen anywhere."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.bot.domain.errors import HomelabError
from tests.support.local_servers import http_server

REQUESTS: dict[str, Any] = {"requests": [{"name": "one", "path": "/api"}], "metrics": [{"name": "a", "path": "one.a"}]}
LOGIN: dict[str, Any] = {
    "type": "login",
    "request": {"method": "POST", "path": "/login", "json": {"user": "${params.user}", "key": "${params.key}"}},
    "token": "session.sid",
    "header": {"name": "X-Session", "value": "Token ${token}"},
}


class Gate:
    """A server with a log-in: gives tokens, counts log-ins, and forgets its sessions when told."""

    def __init__(self, key: str = "s3cr3t/k+ey") -> None:
        self.key = key
        self.logins = 0
        self.sessions: set[str] = set()
        self.slow = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/login":
            self.logins += 1
            await asyncio.sleep(self.slow)
            if (await request.json())["key"] != self.key:
                return web.Response(status=401)
            token = f"tok3n-{self.logins}"
            self.sessions.add(token)
            response = web.json_response({"session": {"sid": token}}, headers={"X-CSRF": f"csrf-{self.logins}"})
            response.set_cookie("SID", token)
            return response
        shown = request.headers.get("X-Session", "").removeprefix("Token ") or request.cookies.get("SID", "")
        if shown not in self.sessions:
            return web.Response(status=401)
        return web.json_response({"a": 1, "echo": shown, "csrf": request.headers.get("X-Token")})


@pytest.mark.parametrize(
    ("auth", "header", "value", "query"),
    [
        (
            {"type": "basic", "username": "${params.user}", "password": "${params.key}"},
            "Authorization",
            "Basic " + base64.b64encode(b"me:s3cr3t/k+ey").decode(),
            "",
        ),
        ({"type": "bearer", "token": "${params.key}"}, "Authorization", "Bearer s3cr3t/k+ey", ""),
        ({"type": "header", "name": "X-Key", "value": "id=${params.key}"}, "X-Key", "id=s3cr3t/k+ey", ""),
        ({"type": "query", "name": "apikey", "value": "${params.key}"}, "X-Key", None, "s3cr3t/k+ey"),
        ({"type": "basic", "username": "", "password": "x"}, "Authorization", None, ""),
    ],
)
async def test_credentials_go_with_every_request(
    open_source: Any, auth: dict[str, str], header: str, value: str | None, query: str
) -> None:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"a": 1, "echo": dict(request.headers), "path": request.path_qs})

    async with http_server(answer) as address:
        source = open_source({**REQUESTS, "auth": auth}, url=address, user="me", key="${secret:key}")
        result = await source.test()
    assert seen[0].headers.get(header) == value
    assert seen[0].query.get("apikey", "") == query
    shown = repr(result)
    assert "s3cr3t" not in shown
    assert base64.b64encode(b"me:s3cr3t/k+ey").decode() not in shown


async def test_user_and_password_of_an_address_log_in_and_are_not_shown(open_source: Any) -> None:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"a": 1})

    async with http_server(answer) as address:
        source = open_source(REQUESTS, url=address.replace("//", "//me:${secret:key}@"))
        result = await source.test()
    assert seen[0].headers["Authorization"] == "Basic " + base64.b64encode(b"me:s3cr3t/k+ey").decode()
    assert "me:" not in repr(result)
    assert "s3cr3t" not in repr(result)


async def test_a_session_is_used_until_it_is_refused(open_source: Any) -> None:
    gate = Gate()
    async with http_server(gate.answer) as address:
        source = open_source({**REQUESTS, "auth": LOGIN}, url=address, key="${secret:key}")
        for _ in range(3):
            assert (await source.read()).metrics[0].value == 1
        assert gate.logins == 1
        gate.sessions.clear()
        assert (await source.read()).metrics[0].value == 1
        assert gate.logins == 2
        result = await source.test()
    assert "tok3n" not in repr(result)
    assert "s3cr3t" not in repr(result)


async def test_many_sources_log_in_once(open_source: Any) -> None:
    gate = Gate()
    gate.slow = 0.05
    async with http_server(gate.answer) as address:
        sources = [open_source({**REQUESTS, "auth": LOGIN}, url=address, key="${secret:key}") for _ in range(20)]
        await asyncio.gather(*(source.read() for source in sources))
        assert gate.logins == 1
        gate.sessions.clear()
        await asyncio.gather(*(source.read() for source in sources))
    assert gate.logins == 2


async def test_other_credentials_are_another_session(open_source: Any) -> None:
    gate = Gate()
    async with http_server(gate.answer) as address:
        await open_source({**REQUESTS, "auth": LOGIN}, url=address, user="a", key="${secret:key}").read()
        await open_source({**REQUESTS, "auth": LOGIN}, url=address, user="b", key="${secret:key}").read()
    assert gate.logins == 2


async def test_a_refused_log_in_is_not_tried_again_at_once(open_source: Any) -> None:
    gate = Gate("another")
    async with http_server(gate.answer) as address:
        sources = [open_source({**REQUESTS, "auth": LOGIN}, url=address, key="${secret:key}") for _ in range(5)]
        for source in sources:
            with pytest.raises(HomelabError, match="log-in was refused"):
                await source.read()
    assert gate.logins == 1


async def test_a_server_that_forgets_at_once_is_asked_twice_and_no_more(open_source: Any) -> None:
    gate = Gate()
    asked = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal asked
        if request.path == "/login":
            return await gate.answer(request)
        asked += 1
        return web.Response(status=401)

    async with http_server(answer) as address:
        with pytest.raises(HomelabError, match="401"):
            await open_source({**REQUESTS, "auth": LOGIN}, url=address, key="${secret:key}").read()
    assert (gate.logins, asked) == (2, 2)


async def test_cookies_and_headers_of_the_log_in_are_sent_on(open_source: Any) -> None:
    gate = Gate()
    auth = {
        "type": "login",
        "request": {"method": "POST", "path": "/login", "json": {"key": "${params.key}"}},
        "cookies": True,
        "copy_headers": {"X-CSRF": "X-Token"},
    }
    definition = {**REQUESTS, "auth": auth, "items": [{"name": "answer", "path": "one"}]}
    async with http_server(gate.answer) as address:
        reading = await open_source(definition, url=address, key="${secret:key}").read()
    (row,) = reading.items["answer"]
    assert row["a"] == 1
    assert "csrf" not in str(row["csrf"])  # it was sent, for the server gave it back, and it is hidden


async def test_a_log_in_by_its_text_and_by_an_odd_status(open_source: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/text":
            response = web.Response(text="Ok." if (await request.text()) == "key=right" else "Fails.")
            response.set_cookie("SID", "abc")
            return response
        if request.headers.get("X-Id") != "42" and request.cookies.get("SID") != "abc":
            return web.Response(status=409, headers={"X-Id": "42"})
        return web.json_response({"a": 7})

    by_text = {
        "type": "login",
        "request": {"method": "POST", "path": "/text", "form": {"key": "${params.key}"}},
        "expect_text": "Ok.",
        "cookies": True,
    }
    by_status = {
        "type": "login",
        "request": {"path": "/api", "statuses": [409]},
        "copy_headers": {"X-Id": "X-Id"},
        "expired_statuses": [409],
    }
    async with http_server(answer) as address:
        assert (await open_source({**REQUESTS, "auth": by_text}, url=address, key="right").read()).metrics[0].value == 7
        with pytest.raises(HomelabError, match="Check the credentials"):
            await open_source({**REQUESTS, "auth": by_text}, url=address, key="wrong").read()
        assert (await open_source({**REQUESTS, "auth": by_status}, url=address).read()).metrics[0].value == 7


async def test_a_log_in_may_need_a_user_and_password_besides(open_source: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth("anna", "right"):
            return web.Response(status=401)
        if request.headers.get("X-Id") != "42":
            return web.Response(status=409, headers={"X-Id": "42"})
        return web.json_response({"a": 7})

    auth = {
        "type": "login",
        "request": {"path": "/api", "statuses": [409]},
        "basic": {"username": "anna", "password": "${params.key}"},
        "copy_headers": {"X-Id": "X-Id"},
        "expired_statuses": [409],
    }
    async with http_server(answer) as address:
        assert (await open_source({**REQUESTS, "auth": auth}, url=address, key="right").read()).metrics[0].value == 7
        with pytest.raises(HomelabError, match=r"refused \(401 Unauthorized\)\. Check the credentials"):
            await open_source({**REQUESTS, "auth": auth}, url=address, key="wrong").read()


async def test_a_log_in_that_is_refused_by_its_text(open_source: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="Fails.") if request.path == "/login" else web.json_response({"a": 7})

    auth = {"type": "login", "request": {"path": "/login"}, "refused_text": "Fails.", "cookies": True}
    async with http_server(answer) as address:
        with pytest.raises(HomelabError, match=r"The log-in was refused\. Check the credentials"):
            await open_source({**REQUESTS, "auth": auth}, url=address).read()


async def test_an_unknown_secret_is_named(open_source: Any) -> None:
    with pytest.raises(HomelabError, match="There is no secret “nix”"):
        await open_source(REQUESTS, url="http://host", key="${secret:nix}").read()

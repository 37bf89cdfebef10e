"""What the source of an integration sends: addresses, bodies, chains, pages, and what it makes of failures."""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Status
from tests.support.local_servers import Authority, http_server, nobody, raw_server

ONE: dict[str, Any] = {"requests": [{"name": "one", "path": "/api"}], "metrics": [{"name": "a", "path": "one.a"}]}


class Recorder:
    """A server that remembers what it was asked and answers by path."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.requests: list[tuple[str, str, dict[str, str], str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path, dict(request.headers), await request.text()))
        answer = self.answers.get(request.path, {"a": 1})
        return answer(request) if callable(answer) else web.json_response(answer)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]


async def test_address_query_headers_and_body_are_filled(open_source: Any) -> None:
    server = Recorder()
    definition = {
        "headers": {"X-User": "${params.user}", "X-Empty": "${params.missing}"},
        "requests": [
            {
                "name": "one",
                "method": "POST",
                "path": "/users/${params.user}/x?fixed=1",
                "query": {"q": "${params.user}", "none": "", "flag": True, "many": [1, 2]},
                "json": {"key": "${params.key}", "deep": ["${params.user}"]},
            }
        ],
    }
    async with http_server(server.answer) as address:
        source = open_source(definition, url=f"{address}/base/", user="a/../b&c", key="${secret:key}")
        await source.read()
    ((method, path, headers, body),) = server.requests
    assert method == "POST"
    assert path == "/base/users/a%2F..%2Fb%26c/x?fixed=1&q=a/../b%26c&flag=true&many=1&many=2"
    assert headers["X-User"] == "a/../b&c"
    assert "X-Empty" not in headers
    assert json.loads(body) == {"key": "s3cr3t/k+ey", "deep": ["a/../b&c"]}


async def test_forms_and_texts_are_sent(open_source: Any) -> None:
    server = Recorder()
    definition = {
        "requests": [
            {"name": "form", "method": "POST", "path": "/form", "form": {"user": "${params.user}", "n": 1}},
            {"name": "text", "method": "PUT", "path": "/text", "text": "hello ${params.user}"},
        ]
    }
    async with http_server(server.answer) as address:
        await open_source(definition, url=address, user="ä b").read()
    bodies = {path: body for _, path, _, body in server.requests}
    assert bodies == {"/form": "user=%C3%A4+b&n=1", "/text": "hello ä b"}


async def test_later_requests_use_values_of_earlier_ones_and_run_for_each(open_source: Any) -> None:
    nodes = [{"id": "n/1"}, {"id": "n2"}]
    server = Recorder(
        {"/nodes": nodes, "/nodes/n/1": {"cpu": 10}, "/nodes/n2": {"cpu": 20}, "/first/n2": {"name": "x"}}
    )
    definition = {
        "requests": [
            {"name": "nodes", "path": "/nodes"},
            {"name": "each", "path": "/nodes/${item.id}", "for_each": "nodes[]"},
            {"name": "first", "path": "/first/${answers.nodes.1.id}"},
        ],
        "metrics": [
            {"name": "cpu", "for_each": "each", "path": "answer.cpu", "label_paths": {"node": "item.id"}},
            {"name": "sum", "path": "sum(each[].answer.cpu)"},
        ],
        "items": [{"name": "first", "path": "first"}],
    }
    async with http_server(server.answer) as address:
        reading = await open_source(definition, url=address).read()
    assert server.paths == ["/nodes", "/nodes/n%2F1", "/nodes/n2", "/first/n2"]
    assert [(one.value, dict(one.labels)) for one in reading.metrics] == [
        (10, {"node": "n/1"}),
        (20, {"node": "n2"}),
        (30, {}),
    ]
    assert reading.items == {"first": [{"name": "x"}]}


async def test_what_a_server_answers_is_never_looked_through_for_secrets(open_source: Any) -> None:
    server = Recorder({"/one": {"id": "${secret:other}", "next": "${params.key}"}})
    definition = {
        "requests": [
            {"name": "one", "path": "/one"},
            {"name": "two", "path": "/two", "query": {"id": "${answers.one.id}", "next": "${answers.one.next}"}},
        ],
    }
    async with http_server(server.answer) as address:
        await open_source(definition, url=address, key="${secret:key}").read()
    assert "s3cr3t" not in server.paths[1]
    assert "%7Bparams.key%7D" in server.paths[1]


@pytest.mark.parametrize("way", ["number", "next_address", "next_mark"])
async def test_pages_are_put_together(open_source: Any, way: str) -> None:
    def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        rows = [{"n": page * 10 + place} for place in (0, 1)] if page <= 3 else []
        link = f"/list?page={page + 1}" if page < 3 else None
        return web.json_response({"rows": rows, "link": link, "mark": page + 1 if page < 3 else None})

    pages = {
        "number": {"items": "rows", "number": "page"},
        "next_address": {"items": "rows", "next": "link"},
        "next_mark": {"items": "rows", "next": "mark", "into": "page"},
    }[way]
    server = Recorder({"/list": answer})
    definition = {
        "requests": [{"name": "list", "path": "/list", "pages": pages}],
        "metrics": [{"name": "count", "path": "length(list)"}, {"name": "last", "path": "list[-1].n"}],
    }
    async with http_server(server.answer) as address:
        reading = await open_source(definition, url=address).read()
    assert [one.value for one in reading.metrics] == [6, 31]
    assert reading.status is Status.UP


async def test_pages_without_an_end_are_cut_and_told(open_source: Any) -> None:
    server = Recorder({"/list": {"rows": [1], "link": "/list"}})
    definition = {
        "requests": [{"name": "list", "path": "/list", "pages": {"items": "rows", "next": "link", "limit": 3}}],
        "metrics": [{"name": "count", "path": "length(list)"}],
    }
    async with http_server(server.answer) as address:
        reading = await open_source(definition, url=address).read()
    assert len(server.requests) == 3
    assert (reading.status, reading.message) == (
        Status.DEGRADED,
        "list: there are more pages than the 3 that were read",
    )


async def test_the_next_page_is_never_on_another_server(open_source: Any) -> None:
    stranger = Recorder()
    async with http_server(stranger.answer) as elsewhere:
        server = Recorder({"/list": {"rows": [1], "link": f"{elsewhere}/list"}})
        definition = {
            "auth": {"type": "bearer", "token": "${params.key}"},
            "requests": [{"name": "list", "path": "/list", "pages": {"items": "rows", "next": "link"}}],
        }
        async with http_server(server.answer) as address:
            with pytest.raises(HomelabError, match="another server"):
                await open_source(definition, url=address, key="${secret:key}").read()
    assert stranger.requests == []


async def test_an_optional_request_may_fail_and_a_feature_may_lack(open_source: Any) -> None:
    def broken(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    def lacking(_request: web.Request) -> web.Response:
        return web.Response(status=404)

    server = Recorder({"/broken": broken, "/lacking": lacking})
    definition = {
        "requests": [
            {"name": "one", "path": "/one"},
            {"name": "broken", "path": "/broken", "optional": True},
            {"name": "lacking", "path": "/lacking", "optional_statuses": [404]},
        ],
        "metrics": [
            {"name": "a", "path": "one.a"},
            {"name": "b", "path": "length(broken.list)"},
            {"name": "c", "path": "lacking.c"},
        ],
    }
    async with http_server(server.answer) as address:
        reading = await open_source(definition, url=address).read()
    assert [one.value for one in reading.metrics] == [1, None, None]
    assert (reading.status, reading.message) == (Status.DEGRADED, "broken: Answered 500 Internal Server Error")


async def test_a_needed_request_that_fails_names_itself(open_source: Any) -> None:
    server = Recorder({"/two": lambda _request: web.Response(status=403)})
    definition = {"requests": [{"name": "one", "path": "/one"}, {"name": "two", "path": "/two"}]}
    async with http_server(server.answer) as address:
        with pytest.raises(HomelabError, match=r"two: Answered 403 Forbidden\. Check the credentials"):
            await open_source(definition, url=address).read()


async def test_an_answer_is_kept_as_long_as_the_type_says(open_source: Any) -> None:
    server = Recorder()
    definition = {"requests": [{"name": "one", "path": "/one", "cache_seconds": 60}, {"name": "two", "path": "/two"}]}
    async with http_server(server.answer) as address:
        source = open_source(definition, url=address)
        await source.read()
        await source.read()
    assert sorted(server.paths) == ["/one", "/two", "/two"]


async def test_a_server_that_asks_to_wait_is_left_alone(open_source: Any) -> None:
    busy = web.Response
    server = Recorder({"/api": lambda _request: busy(status=429, headers={"Retry-After": "120"})})
    async with http_server(server.answer) as address:
        source = open_source(ONE, url=address)
        with pytest.raises(HomelabError, match="429"):
            await source.read()
        with pytest.raises(HomelabError, match=r"asked to wait; the next request goes out in 1[12]"):
            await source.read()
    assert len(server.requests) == 1


async def test_bad_servers_become_reasons(open_source: Any) -> None:
    cases = {
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html": "Not JSON: it begins with “<html”",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{": "The answer broke off",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": "Not JSON: the answer is empty",
        b"nonsense\r\n\r\n": "The answer is not HTTP",
        b"HTTP/1.1 302 Found\r\nLocation: /api\r\nContent-Length: 0\r\n\r\n": "More than 5 redirects",
    }
    for answer, reason in cases.items():
        async with raw_server(answer) as address:
            with pytest.raises(HomelabError) as failure:
                await open_source(ONE, url=address).read()
        assert reason in str(failure.value)
    async with nobody() as address:
        with pytest.raises(HomelabError, match="Connection refused"):
            await open_source(ONE, url=address).read()
    with pytest.raises(HomelabError, match="address must be one like"):
        await open_source(ONE, url="ftp://host").read()


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(open_source: Any) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1_600):  # 100 MiB
            try:
                await response.write(b" " * 65_536)
            except (ConnectionError, asyncio.CancelledError):
                break
            sent += 65_536
        return response

    async with http_server(endless) as address:
        with pytest.raises(HomelabError, match="larger than 2 MiB"):
            await open_source(ONE, url=address, connection={"max_mebibytes": 2}).read()
    assert sent < 40 * 1024 * 1024


async def test_an_authority_of_the_users_is_trusted(open_source: Any, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with http_server(Recorder().answer, authority.server()) as address:
        with pytest.raises(HomelabError, match="certificate is not trusted"):
            await open_source(ONE, url=address).read()
        assert (await open_source(ONE, url=address, connection={"verify_tls": False}).read()).status is Status.UP
        own = authority.certificate_path
        for written in (str(own), own.read_text()):
            reading = await open_source(ONE, url=address, connection={"ca_certificate": written}).read()
            assert reading.status is Status.UP
        with pytest.raises(HomelabError, match=r"connection\.ca_certificate cannot be used"):
            await open_source(ONE, url=address, connection={"ca_certificate": "/nowhere.pem"}).read()
    assert isinstance(authority.trusted(), ssl.SSLContext)


async def test_requests_go_through_a_proxy(open_source: Any) -> None:
    proxy = Recorder()
    async with http_server(proxy.answer) as address:
        source = open_source(ONE, url="http://lab.invalid", connection={"proxy": address})
        assert (await source.read()).metrics[0].value == 1
    assert proxy.paths == ["http://lab.invalid/api"]


async def test_wrong_configs_name_the_field(open_source: Any) -> None:
    with pytest.raises(InvalidConfigError, match="url: "):
        open_source(ONE)
    with pytest.raises(InvalidConfigError, match="connection: max_mebibytes: "):
        open_source(ONE, url="http://a", connection={"max_mebibytes": 0})
    wrong = {"requests": [{"name": "one", "path": "/x"}], "metrics": [{"name": "a", "path": "one["}], "status": "1 +"}
    with pytest.raises(InvalidConfigError) as failure:
        open_source(wrong, url="http://a")
    assert "metrics.0.path: not a JMESPath expression" in str(failure.value)
    assert "status: " in str(failure.value)
    unknown = {"requests": [{"name": "one", "path": "/${answers.two.id}"}]}
    with pytest.raises(InvalidConfigError, match=r"names no request that comes before it"):
        open_source(unknown, url="http://a")

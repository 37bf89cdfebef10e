from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.secrets import UnknownSecretError
from app.bot.infrastructure.sources import Resources
from tests.support.local_servers import Authority, http_server, nobody, raw_server


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="Hello, lab! Grüße")


def value(reading: Reading, name: str) -> float | None:
    metric = reading.metric(name)
    assert metric is not None
    return metric.value


async def test_a_page_that_answers_is_up(read: Any) -> None:
    async with http_server(hello) as address:
        reading = await read("http_check", url=address)
    assert (reading.status, reading.message) == (Status.UP, "")
    assert value(reading, "status_code") == 200
    assert (value(reading, "latency") or 0) > 0
    assert reading.metric("certificate.days") == Metric("certificate.days", None, "days")


@pytest.mark.parametrize(
    ("keyword", "status", "message"),
    [
        ("Grüße", Status.UP, ""),
        ("Goodbye", Status.DOWN, "The answer does not contain “Goodbye”"),
    ],
)
async def test_the_keyword_must_be_there(read: Any, keyword: str, status: Status, message: str) -> None:
    async with http_server(hello) as address:
        reading = await read("http_check", url=address, keyword=keyword)
    assert (reading.status, reading.message) == (status, message)
    assert value(reading, "status_code") == 200


async def test_an_unexpected_status_is_down_and_named(read: Any) -> None:
    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=503, reason="@everyone")

    async with http_server(broken) as address:
        reading = await read("http_check", url=address)
        expected = await read("http_check", url=address, expected_statuses=[401, 503])
    assert (reading.status, reading.message) == (Status.DOWN, "Answered 503 Service Unavailable")
    assert value(reading, "status_code") == 503
    assert expected.status is Status.UP


async def test_a_slow_answer_is_degraded(read: Any) -> None:
    async with http_server(hello) as address:
        reading = await read("http_check", url=address, slow_seconds=1e-9)
    assert (reading.status, reading.message) == (Status.DEGRADED, "The answer took longer than 1e-09 s")


async def test_redirects_are_followed_unless_told_otherwise(read: Any) -> None:
    async def redirect(request: web.Request) -> web.Response:
        if request.path == "/end":
            return await hello(request)
        raise web.HTTPFound("/end")

    async with http_server(redirect) as address:
        followed = await read("http_check", url=address)
        stayed = await read("http_check", url=address, follow_redirects=False, expected_statuses=[302])
    assert value(followed, "status_code") == 200
    assert (stayed.status, value(stayed, "status_code")) == (Status.UP, 302)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/again", "More than 5 redirects"),
        ("file:///etc/passwd", "Redirected to something that is no web address"),
        ("http://[::bad", "Redirected to something that is no address"),
    ],
)
async def test_redirects_to_nowhere_end(read: Any, location: str, message: str) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async with http_server(redirect) as address:
        reading = await read("http_check", url=address)
    assert (reading.status, reading.message) == (Status.DOWN, message)


async def test_headers_go_to_no_other_server(read: Any) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append((request.headers.get("X-Api-Key"), request.headers.get("Authorization")))
        return web.Response()

    async with http_server(elsewhere) as other:

        async def redirect(request: web.Request) -> web.Response:
            if request.path == "/here":
                return await elsewhere(request)
            raise web.HTTPFound("/here" if request.path == "/same" else other)

        config = {"headers": {"X-Api-Key": "${secret:token}"}, "auth": {"type": "bearer", "token": "${secret:token}"}}
        async with http_server(redirect) as address:
            await read("http_check", url=f"{address}/same", **config)
            await read("http_check", url=f"{address}/other", **config)
    assert seen == [("s3cr3t/t+ken", "Bearer s3cr3t/t+ken"), (None, None)]


async def test_refused(read: Any) -> None:
    async with nobody() as address:
        reading = await read("http_check", url=address)
    assert (reading.status, reading.message) == (Status.DOWN, "Connection refused")
    assert value(reading, "latency") is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "The server closed the connection without an answer"),
        (b"\x16\x03\x01 what is this\r\n\r\n", "The answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "The answer broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz", "The answer broke off"),
    ],
)
async def test_servers_that_do_not_speak_http_properly(read: Any, answer: bytes, message: str) -> None:
    async with raw_server(answer) as address:
        reading = await read("http_check", url=address, keyword="x")
    assert (reading.status, reading.message) == (Status.DOWN, message)


async def test_a_hanging_server_is_given_up_when_cancelled(resources: Resources) -> None:
    async with raw_server(None) as address:
        reader = open_reader(DataSource(1, "one", "http_check", config={"url": address}), resources)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 0.05)


async def test_an_unknown_host_name(read: Any) -> None:
    reading = await read("http_check", url="http://no-such-host.invalid/")
    assert (reading.status, reading.message) == (Status.DOWN, "The host name is unknown")


async def test_an_endless_answer_is_read_only_as_far_as_needed(read: Any) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    async with http_server(endless) as address:
        assert (await read("http_check", url=address)).status is Status.UP
        reading = await read("http_check", url=address, keyword="y")
    assert reading.message == "The first MiB of the answer does not contain “y”"


async def test_a_trusted_certificate_and_its_days(read: Any, authority: Authority) -> None:
    async with http_server(hello, authority.server(timedelta(days=60, hours=1))) as address:
        reading = await read("http_check", url=address)
    assert reading.status is Status.UP
    assert int(value(reading, "certificate.days") or 0) == 60


async def test_a_certificate_that_runs_out_soon_is_degraded(read: Any, authority: Authority) -> None:
    async with http_server(hello, authority.server(timedelta(days=5, hours=1))) as address:
        reading = await read("http_check", url=address)
        unconcerned = await read("http_check", url=address, certificate_warning_days=3)
    assert (reading.status, reading.message) == (Status.DEGRADED, "The certificate runs out in 5 days")
    assert unconcerned.status is Status.UP


@pytest.mark.parametrize(
    ("valid", "address", "reason"),
    [
        (timedelta(days=-1), "127.0.0.1", "certificate has expired"),
        (timedelta(days=60), "192.0.2.1", "IP address mismatch"),
    ],
)
async def test_a_wrong_certificate_is_down(
    read: Any, authority: Authority, valid: timedelta, address: str, reason: str
) -> None:
    async with http_server(hello, authority.server(valid, address)) as server:
        reading = await read("http_check", url=server)
        unverified = await read("http_check", url=server, verify_tls=False)
    assert reading.status is Status.DOWN
    assert reading.message.startswith("The certificate is not trusted: ")
    assert reason in reading.message
    assert value(unverified, "status_code") == 200
    assert unverified.message == ("The certificate has run out" if valid < timedelta() else "")


async def test_an_unknown_authority_is_down(read: Any, tmp_path: Any) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    async with http_server(hello, Authority(folder).server()) as address:
        reading = await read("http_check", url=address)
    assert reading.status is Status.DOWN
    assert "unable to get local issuer certificate" in reading.message


async def test_tls_where_there_is_none(read: Any) -> None:
    async with http_server(hello) as address:
        reading = await read("http_check", url=address.replace("http:", "https:"))
    assert reading.message == "No TLS connection: the server does not speak TLS there (is it http://?)"


async def test_a_header_that_cannot_be_sent(read: Any) -> None:
    async with http_server(hello) as address:
        reading = await read("http_check", url=address, headers={"X-Bad": "a\r\nX-Injected: b"})
    assert reading.status is Status.DOWN
    assert reading.message == "The request cannot be sent: a header or the address is not valid"


async def test_an_unknown_secret_is_named(read: Any) -> None:
    with pytest.raises(UnknownSecretError, match="There is no secret “nope”"):
        await read("http_check", url="http://127.0.0.1:9", headers={"X-Api-Key": "${secret:nope}"})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "url: Field required"),
        ({"url": "nas.local"}, "url: must be an address like http://"),
        ({"url": "ftp://nas"}, "url: must be an address"),
        ({"url": "http://host:99999/"}, "url: must be an address"),
        ({"url": "http://${secret:host}/"}, "url: the host of an address cannot be a secret"),
        ({"url": "http://me@${secret:host}?x=1"}, "url: the host of an address cannot be a secret"),
        ({"url": "http://nas", "methd": "GET"}, "methd: no such setting"),
        ({"url": "http://nas", "expected_statuses": [99]}, "expected_statuses.0: "),
        ({"url": "http://nas", "auth": {"type": "digest", "password": "hunter2"}}, "auth: "),
    ],
)
def test_a_wrong_config_names_the_field_and_no_value(config: dict[str, Any], message: str) -> None:
    unused: Any = None
    with pytest.raises(InvalidConfigError) as caught:
        open_reader(DataSource(1, "one", "http_check", config=config), unused)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_a_secret_may_stand_right_behind_the_host(read: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="yes" if request.query.get("key") == "s3cr3t/t+ken" else "no")

    async with http_server(answer) as address:
        reading = await read("http_check", url=f"{address}?key=${{secret:token}}", keyword="yes")
    assert reading.status is Status.UP

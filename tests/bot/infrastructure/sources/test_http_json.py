from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.network.http_requests import RequestFailedError
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources, SourceFailedError
from tests.support.local_servers import Handler, http_server, nobody, raw_server

NAS = {
    "system": {"cpu": "42.5", "memory_kib": 2048, "ok": True, "name": "nas", "huge": 10**400, "nan": "nan"},
    "status": "Healthy",
    "pools": [
        {"name": "tank", "used": 10, "disks": [1, 2]},
        {"name": "backup", "used": None},
    ],
}


def answering(document: Any, **response: Any) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(document, **response)

    return answer


async def mapped(read: Any, document: Any = NAS, **config: Any) -> Any:
    async with http_server(answering(document)) as address:
        return await read("http_json", url=address, **config)


@pytest.mark.parametrize(
    ("mapping", "value"),
    [
        ({"path": "system.memory_kib", "scale": 1024}, 2048 * 1024),
        ({"path": "system.cpu"}, 42.5),
        ({"path": "system.ok"}, 1),
        ({"path": "pools[?name=='tank'].used | [0]"}, 10),
        ({"path": "length(pools)"}, 2),
        ({"path": "system.nothing"}, None),
        ({"path": "pools[1].used"}, None),
        ({"path": "system.nan"}, None),
    ],
)
async def test_a_metric_is_taken_by_its_path(read: Any, mapping: dict[str, Any], value: float | None) -> None:
    reading = await mapped(read, metrics=[{"name": "m", "unit": "bytes", "labels": {"a": "b"}, **mapping}])
    assert reading.metrics == (Metric("m", value, "bytes", {"a": "b"}),)
    assert (reading.status, reading.message) == (Status.UP, "")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("system.name", "m: “nas” is not a number"),
        ("pools", "m: the path gives a list, not a number"),
        ("system", "m: the path gives an object, not a number"),
        ("sum(pools[].name)", "m: In function sum(), invalid type for value"),
        ("max_by(pools, &disks)", "m: "),
    ],
)
async def test_a_metric_of_a_wrong_type_is_missing_and_says_why(read: Any, path: str, message: str) -> None:
    good = {"name": "good", "path": "system.cpu"}
    reading = await mapped(read, metrics=[{"name": "m", "path": path}, good])
    assert [metric.value for metric in reading.metrics] == [None, 42.5]
    assert reading.status is Status.DEGRADED
    assert reading.message.startswith(message)


async def test_a_number_too_large_is_missing(read: Any) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b'{"n": 1' + b"0" * 400 + b"}")

    async with http_server(answer) as address:
        reading = await read("http_json", url=address, metrics=[{"name": "m", "path": "n"}])
    assert reading.metrics[0].value is None
    assert reading.status is Status.DEGRADED


async def test_tables_are_taken_by_path_and_fields(read: Any) -> None:
    reading = await mapped(
        read,
        items=[
            {"name": "pools", "path": "pools", "fields": {"pool": "name", "disks": "length(disks || `[]`)"}},
            {"name": "as_they_are", "path": "pools[:1]"},
            {"name": "names", "path": "pools[].name"},
            {"name": "one", "path": "system", "fields": {"name": "name"}},
            {"name": "nothing", "path": "nowhere"},
        ],
    )
    assert dict(reading.items) == {
        "pools": [{"pool": "tank", "disks": 2}, {"pool": "backup", "disks": 0}],
        "as_they_are": [{"name": "tank", "used": 10, "disks": [1, 2]}],
        "names": [{"value": "tank"}, {"value": "backup"}],
        "one": [{"name": "nas"}],
        "nothing": [],
    }
    assert reading.status is Status.UP


async def test_a_table_that_is_no_list_says_so(read: Any) -> None:
    reading = await mapped(read, items=[{"name": "t", "path": "status"}])
    assert (reading.status, reading.message) == (Status.DEGRADED, "t: the path gives a text, not a list")
    assert reading.items["t"] == []


async def test_a_table_is_capped(read: Any) -> None:
    reading = await mapped(
        read, [{"n": number} for number in range(MAX_ITEMS + 50)], items=[{"name": "t", "path": "@"}]
    )
    assert len(reading.items["t"]) == MAX_ITEMS


async def test_many_problems_are_counted(read: Any) -> None:
    metrics = [{"name": f"m{number}", "path": "status"} for number in range(5)]
    reading = await mapped(read, metrics=metrics)
    assert reading.message.endswith("m2: “Healthy” is not a number; 2 more")


@pytest.mark.parametrize(
    ("document", "mapping", "status", "message"),
    [
        (NAS, {"path": "status"}, Status.UP, ""),
        (NAS, {"path": "system.ok"}, Status.UP, ""),
        (NAS, {"path": "status", "up": ["good"], "degraded": ["HEALTHY"]}, Status.DEGRADED, "Status: Healthy"),
        (NAS, {"path": "status", "up": ["good"]}, Status.DOWN, "Status: Healthy"),
        (NAS, {"path": "nowhere"}, Status.UNKNOWN, "The status is not in the answer"),
        (NAS, {"path": "sum(status)"}, Status.UNKNOWN, "status: In function sum()"),
    ],
)
async def test_the_status_is_read_from_the_answer(
    read: Any, document: Any, mapping: dict[str, Any], status: Status, message: str
) -> None:
    reading = await mapped(read, document, status=mapping)
    assert reading.status is status
    assert reading.message.startswith(message)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({"status": 401}, "Answered 401 Unauthorized"),
        ({"status": 500, "text": "{}"}, "Answered 500 Internal Server Error"),
        ({"text": "<!DOCTYPE html>\n<html>" + "x" * 100}, "Not JSON: it begins with “<!DOCTYPE html> <html>xxx"),
        ({"text": ""}, "Not JSON: the answer is empty"),
        ({"body": b"\xff\xfe\xfa"}, "Not JSON: it begins with"),
        ({"text": "[" * 100_000}, "Not JSON that can be read: it is nested too deeply"),
    ],
)
async def test_an_answer_that_is_not_json_is_a_failure(read: Any, response: dict[str, Any], message: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(**response)

    async with http_server(answer) as address:
        with pytest.raises(SourceFailedError) as caught:
            await read("http_json", url=address)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_that_is_too_large_is_a_failure(read: Any, compressed: bool) -> None:
    sent = 0

    async def huge(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        if compressed:
            body = gzip.compress(b" " * 100_000_000)
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" " * 1_000_000)
            sent += 1
        return response

    async with http_server(huge) as address:
        with pytest.raises(SourceFailedError, match="larger than 5 MiB"):
            await read("http_json", url=address)
    assert sent < 100


async def test_refused_and_broken_off(read: Any) -> None:
    async with nobody() as address:
        with pytest.raises(RequestFailedError, match="Connection refused"):
            await read("http_json", url=address)
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") as address:
        with pytest.raises(RequestFailedError, match="The answer broke off"):
            await read("http_json", url=address)


async def echo(request: web.Request) -> web.Response:
    """Sends back all it got, as some APIs do in their errors."""
    return web.json_response(
        {
            "method": request.method,
            "headers": dict(request.headers),
            "query": dict(request.query),
            "raw_query": request.rel_url.raw_query_string,
            "body": await request.text(),
        }
    )


async def sent(resources: Resources, **config: Any) -> dict[str, Any]:
    """What arrives at the server."""
    arrived: dict[str, Any] = {}

    async def receive(request: web.Request) -> web.Response:
        arrived.update(json.loads((await echo(request)).text or ""))
        return web.json_response({})

    async with http_server(receive) as address:
        config["url"] = address.replace("127.0.0.1", config.pop("user", "") + "127.0.0.1") + config.pop("path", "/")
        await open_reader(DataSource(1, "one", "http_json", config=config), resources).read()
    return arrived


@pytest.mark.parametrize(
    ("config", "header"),
    [
        ({"auth": {"type": "bearer", "token": "${secret:token}"}}, "Bearer s3cr3t/t+ken"),
        ({"auth": {"type": "basic", "username": "me", "password": "${secret:password}"}}, "Basic bWU6cGFzcyB3w7ZyZA=="),
        ({"user": "me:${secret:password}@"}, "Basic bWU6cGFzcyB3w7ZyZA=="),
        ({"headers": {"authorization": "Token ${secret:token}"}}, "Token s3cr3t/t+ken"),
    ],
)
async def test_the_log_in_is_sent(resources: Resources, config: dict[str, Any], header: str) -> None:
    arrived = await sent(resources, **config)
    headers = {name.lower(): value for name, value in arrived["headers"].items()}
    assert headers["authorization"] == header
    assert headers["accept"] == "application/json"


async def test_secrets_go_into_query_and_body_as_they_are(resources: Resources) -> None:
    arrived = await sent(
        resources,
        method="POST",
        path="/?key=${secret:token}&x=1",
        body={"login": {"token": "${secret:token}"}, "n": [1]},
    )
    assert arrived["query"] == {"key": "s3cr3t/t+ken", "x": "1"}
    assert json.loads(arrived["body"]) == {"login": {"token": "s3cr3t/t+ken"}, "n": [1]}
    assert arrived["method"] == "POST"
    assert arrived["headers"]["Content-Type"] == "application/json"


async def test_a_text_is_sent_as_it_is(resources: Resources) -> None:
    arrived = await sent(resources, method="POST", body="query=up", headers={"Content-Type": "text/plain"})
    assert arrived["body"] == "query=up"
    assert arrived["headers"]["Content-Type"] == "text/plain"


LEAKS = ("s3cr3t", "t+ken", "t%2Bken", "pass w", "bWU6")
SECRETIVE = {
    "headers": {"X-Key": "${secret:token}"},
    "auth": {"type": "basic", "username": "me", "password": "${secret:password}"},
    "method": "POST",
    "body": {"token": "${secret:token}"},
}


async def test_a_server_that_echoes_brings_no_secret_into_the_reading(read: Any) -> None:
    async with http_server(echo) as address:
        reading = await read(
            "http_json",
            url=f"{address}/?key=${{secret:token}}",
            items=[{"name": "all", "path": "@"}],
            metrics=[{"name": "m", "path": 'headers."X-Key"'}, {"name": "n", "path": "sum(raw_query)"}],
            status={"path": "body"},
            **SECRETIVE,
        )
    shown = json.dumps(reading.to_json(), ensure_ascii=False)
    assert "•••" in shown
    assert not [leak for leak in LEAKS if leak in shown]


@pytest.mark.parametrize("failure", ["not json", "refused", "redirect", "status", "header"])
async def test_no_failure_shows_a_secret(read: Any, failure: str) -> None:
    async def fail(request: web.Request) -> web.Response:
        received = f"{request.headers} {request.rel_url} {await request.text()}"
        if failure == "redirect":
            return web.Response(status=302, headers={"Location": f"{request.rel_url}"})
        return web.Response(status=500 if failure == "status" else 200, text=received[:3_000])

    config = dict(SECRETIVE)
    if failure == "header":
        config["headers"] = {"X-Key": "${secret:token}\n"}
    with capture_logs() as logs:
        async with http_server(fail) as server, nobody() as closed:
            address = (closed if failure == "refused" else server).replace("//", "//me:${secret:password}@")
            with pytest.raises(HomelabError) as caught:
                await read("http_json", url=f"{address}/?key=${{secret:token}}", **config)
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {logs}"
    assert not [leak for leak in LEAKS if leak in shown]


@pytest.mark.parametrize("name", ["discord_token", "nope"])
async def test_a_secret_that_may_not_be_used_is_named(read: Any, name: str) -> None:
    with pytest.raises(HomelabError, match=f"secret “{name}”"):
        await read("http_json", url="http://127.0.0.1:9", auth={"type": "bearer", "token": f"${{secret:{name}}}"})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"metrics": [{"name": "a", "path": "x"}, {"name": "b", "path": "x["}]}, "metrics.1.path: not a JMESPath"),
        ({"metrics": [{"name": "a", "path": "nosuch(x)"}]}, ""),
        ({"items": [{"name": "a", "path": "x", "fields": {"c": "!!"}}]}, "items.0.fields.c: not a JMESPath expression"),
        ({"status": {"path": ""}}, "status.path: "),
        ({"auth": {"type": "bearer"}}, "auth.bearer.token: Field required"),
        ({"body": 5}, "body"),
    ],
)
async def test_a_wrong_config_names_the_field(resources: Resources, config: dict[str, Any], message: str) -> None:
    definition = DataSource(1, "one", "http_json", config={"url": "http://nas", **config})
    if not message:  # an unknown function is only known to be one when it is called
        open_reader(definition, resources)
        return
    with pytest.raises(InvalidConfigError) as caught:
        open_reader(definition, resources)
    assert message in str(caught.value)


async def test_a_body_does_not_follow_to_another_server(read: Any) -> None:
    received: list[bytes] = []

    async def other(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.json_response({"n": 1})

    async with http_server(other) as elsewhere:

        async def redirect(_request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": elsewhere.replace("127.0.0.1", "localhost")})

        async with http_server(redirect) as address:
            with pytest.raises(RequestFailedError, match=r"Redirected to another server .*may hold a secret"):
                await read("http_json", url=address, method="POST", body={"key": "${secret:token}"})
    assert received == []

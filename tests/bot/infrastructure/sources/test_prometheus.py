from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Status
from app.bot.infrastructure.sources import Resources, SourceFailedError
from tests.support.local_servers import Handler, http_server, nobody, raw_server
from tests.support.services import Service


def answering(result_type: str, result: Any, status: int = 200, **more: Any) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        data = {"resultType": result_type, "result": result}
        return web.json_response({"status": "success", "data": data, **more}, status=status)

    return answer


def vector(*series: tuple[dict[str, str], str]) -> list[dict[str, Any]]:
    return [{"metric": labels, "value": [1_700_000_000, value]} for labels, value in series]


async def asked(read: Any, handler: Handler, **query: Any) -> Any:
    async with http_server(handler) as address:
        return await read("prometheus", url=address, queries=[{"name": "m", "query": "q", **query}])


async def test_a_real_store_answers_queries_of_all_kinds(read: Any, prometheus: Service) -> None:
    two = 'up or label_replace(vector(0), "job", "gone", "", "")'
    reading = await read(
        "prometheus",
        url=prometheus.url + "/",
        queries=[
            {"name": "targets", "query": f"count({two})", "unit": "count"},
            {"name": "up", "query": two, "labels": ["job"]},
            {"name": "read", "query": "prometheus_http_requests_total * 0 + 7", "kind": "counter", "unit": "count"},
            {"name": "ratio", "query": "scalar(vector(0.25))", "scale": 100, "unit": "percent"},
            {"name": "text", "query": '"1 + 1 = 2 & ${secret:token}"'},
            {"name": "window", "query": "prometheus_ready[1m]"},
            {"name": "nothing", "query": "absent(up)", "unit": "bytes"},
        ],
        ranges=[{"name": "past", "query": "prometheus_ready", "minutes": 1, "step_seconds": 1}],
    )
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metric("targets") == Metric("targets", 2, "count")
    assert reading.metric("up", {"job": "prometheus"}) == Metric("up", 1, "", {"job": "prometheus"})
    assert reading.metric("up", {"job": "gone"}) == Metric("up", 0, "", {"job": "gone"})
    counter = reading.metric("read")
    assert (counter.value, counter.kind) == (7, MetricKind.COUNTER)
    assert {"code", "handler", "instance", "job"} == set(counter.labels)
    assert reading.metric("ratio") == Metric("ratio", 25, "percent")
    assert reading.items["text"] == [{"value": "1 + 1 = 2 & ${secret:token}"}]
    assert reading.metric("window").value == 1
    assert reading.metric("nothing") == Metric("nothing", None, "bytes")
    assert sorted((row["job"], row["value"]) for row in reading.items["up"]) == [("gone", 0), ("prometheus", 1)]
    assert {row["value"] for row in reading.items["past"]} == {1}
    assert all(row["time"].endswith("+00:00") and row["job"] == "prometheus" for row in reading.items["past"])


async def test_a_wrong_query_is_told_in_the_stores_words(read: Any, prometheus: Service) -> None:
    with pytest.raises(SourceFailedError, match=r"^bad_data: .*parse error"):
        await read("prometheus", url=prometheus.url, queries=[{"name": "m", "query": "up{"}])
    good = {"name": "good", "query": "vector(1)"}
    reading = await read("prometheus", url=prometheus.url, queries=[{"name": "m", "query": "up{"}, good])
    assert reading.status is Status.DEGRADED
    assert reading.message.startswith("m: bad_data: ")
    assert (reading.metric("m").value, reading.metric("good").value) == (None, 1)


async def test_values_that_are_no_numbers_are_missing(read: Any) -> None:
    reading = await asked(read, answering("vector", vector(({"a": "1"}, "NaN"), ({"a": "2"}, "+Inf"), ({}, "3"))))
    assert [metric.value for metric in reading.metrics] == [None, None, 3]
    assert reading.status is Status.UP


async def test_series_are_capped_and_told(read: Any) -> None:
    many = vector(*(({"n": str(number)}, "1") for number in range(150)))
    reading = await asked(read, answering("vector", many))
    assert len(reading.metrics) == len(reading.items["m"]) == 100
    assert (reading.status, reading.message) == (Status.DEGRADED, "m: 150 series, of which the first 100 are kept")


async def test_points_are_capped(read: Any) -> None:
    matrix = [
        {"metric": {"n": str(number)}, "values": [[moment, "1"] for moment in range(3_000)]} for number in range(4)
    ]
    async with http_server(answering("matrix", matrix)) as address:
        reading = await read("prometheus", url=address, ranges=[{"name": "past", "query": "q"}])
    rows = reading.items["past"]
    assert len(rows) == MAX_ITEMS
    assert {row["n"] for row in rows} == {"0", "1", "2", "3"}
    assert [rows[0]["time"], rows[-1]["time"]] == ["1970-01-01T00:45:50+00:00", "1970-01-01T00:49:59+00:00"]


async def test_labels_that_do_not_tell_series_apart_are_told(read: Any) -> None:
    series = vector(({"job": "a", "pod": "1"}, "1"), ({"job": "a", "pod": "2"}, "2"))
    reading = await asked(read, answering("vector", series), labels=["job"])
    assert reading.metrics == (Metric("m", 1, "", {"job": "a"}),)
    assert (reading.status, reading.message) == (
        Status.DEGRADED,
        "m: 1 series differ only in labels that are not kept",
    )


async def test_warnings_degrade(read: Any) -> None:
    handler = answering("vector", vector(({}, "1")), warnings=["store 10.0.0.1 does not answer"])
    reading = await asked(read, handler)
    assert (reading.status, reading.message) == (Status.DEGRADED, "m: store 10.0.0.1 does not answer")


async def test_a_native_histogram_says_what_to_do(read: Any) -> None:
    histogram = {"metric": {}, "histogram": [1, {"count": "3", "sum": "4", "buckets": []}]}
    reading = await asked(read, answering("vector", [histogram]))
    assert reading.metrics[0].value is None
    assert reading.message == "m: a native histogram has no single value: use histogram_quantile()"


async def test_the_address_may_have_a_path_parameters_and_credentials(read: Any, resources: Resources) -> None:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        labels = {"sent": request.headers["Authorization"], "tenant": request.headers["X-Scope-OrgID"]}
        data = {"resultType": "vector", "result": vector((labels, "1"))}
        return web.json_response({"status": "success", "data": data})

    async with http_server(answer) as address:
        reading = await read(
            "prometheus",
            url=address + "/select/0/prometheus/?nocache=1&key=${secret:token}",
            headers={"X-Scope-OrgID": "home"},
            auth={"type": "bearer", "token": "${secret:token}"},
            queries=[{"name": "m", "query": 'a{b="ü+&"} / 2'}],
        )
    (request,) = seen
    assert request.path == "/select/0/prometheus/api/v1/query"
    assert dict(request.query) == {"nocache": "1", "key": "s3cr3t/t+ken", "query": 'a{b="ü+&"} / 2'}
    assert reading.metrics[0].labels == {"sent": "•••", "tenant": "home"}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("<html>", 404, "Answered 404 Not Found"),
        ("<html>", 200, "The answer is not that of a Prometheus API"),
        ("[" * 100_000, 200, "The answer is not that of a Prometheus API"),
        ("", 503, "Answered 503 Service Unavailable"),
        (json.dumps({"status": "error", "errorType": "timeout", "error": "query\ntimed out"}), 503, "timeout: query"),
        (json.dumps({"status": "success", "data": {"resultType": "vector", "result": [{}]}}), 200, "The answer is not"),
        (json.dumps({"status": "success", "data": {"resultType": "vector", "result": 3}}), 200, "The answer is not"),
        (json.dumps({"status": "success", "data": {"resultType": "streams", "result": []}}), 200, "The answer is not"),
        (json.dumps({"status": "success", "data": None}), 200, "The answer is not that of a Prometheus API"),
        (json.dumps(3), 200, "The answer is not that of a Prometheus API"),
    ],
)
async def test_what_is_no_answer_says_so(read: Any, body: str, status: int, message: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body, status=status)

    with pytest.raises(SourceFailedError, match=f"^{message}"):
        await asked(read, answer)


async def test_an_answer_that_is_too_large_is_refused(read: Any) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b" " * 6_000_000)

    with pytest.raises(SourceFailedError, match="larger than 5 MiB"):
        await asked(read, answer)


async def test_nobody_there_is_told(read: Any) -> None:
    async with nobody() as address:
        with pytest.raises(SourceFailedError, match=r"^Connection refused$"):
            await read("prometheus", url=address, queries=[{"name": "m", "query": "q"}])
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") as address:
        with pytest.raises(SourceFailedError, match="broke off"):
            await read("prometheus", url=address, queries=[{"name": "m", "query": "q"}])


async def test_a_wrong_config_names_the_field(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match="queries: enter at least one"):
        await read("prometheus", url="http://host")
    with pytest.raises(InvalidConfigError, match="two are named “m”"):
        await read("prometheus", url="http://host", queries=[{"name": "m", "query": "a"}, {"name": "m", "query": "b"}])

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources, SourceFailedError
from app.bot.infrastructure.sources.mqtt import feed as mqtt_feed
from app.bot.infrastructure.sources.mqtt.source import _matches
from tests.support.local_servers import Authority
from tests.support.services import HOST, Service, free_port, required, running
from tests.support.waiting import until


@pytest.fixture
async def publisher(mosquitto: Service) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client(HOST, mosquitto.port, username=mosquitto.username, password=mosquitto.password) as client:
        yield client


def config(server: Service, resources: Resources, *metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    resources.secrets.values["mqtt"] = server.password
    login = {"username": server.username, "password": "${secret:mqtt}"}
    return {"host": HOST, "port": server.port, **login, "metrics": list(metrics), **more}


@asynccontextmanager
async def opened(resources: Resources, **config: Any) -> AsyncIterator[Any]:
    reader = open_reader(DataSource(1, "tested", "mqtt", config=config), resources)
    try:
        yield reader
    finally:
        await reader.close()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_retained_and_new_messages_become_metrics(
    resources: Resources, mosquitto: Service, publisher: aiomqtt.Client, version: str
) -> None:
    await publisher.publish("home/rack/SENSOR", '{"temperature": 21.5, "state": "ON", "name": "x"}', retain=True)
    await publisher.publish("home/attic/SENSOR", '{"temperature": 30}', retain=True)
    await publisher.publish("power/total", " 12.5 ", retain=True)
    await publisher.publish("door", "open", retain=True)
    polls: list[float] = []
    asking = replace(resources, poll_soon=lambda: polls.append(1))
    wanted = config(
        mosquitto,
        resources,
        {"name": "temperature", "topic": "home/+/SENSOR", "path": "temperature", "unit": "celsius", "levels": {"r": 2}},
        {"name": "on", "topic": "home/rack/SENSOR", "path": "state", "labels": {"lamp": "rack"}},
        {"name": "power", "topic": "power/total", "unit": "watt", "scale": 1000, "kind": "counter"},
        {"name": "open", "topic": "door"},
        {"name": "all", "topic": "power/#"},
        version=version,
    )
    async with opened(asking, **wanted) as reader:
        reading = await reader.read()
        assert (reading.status, reading.message) == (Status.UP, "")
        assert reading.metric("temperature", {"r": "rack"}) == Metric("temperature", 21.5, "celsius", {"r": "rack"})
        assert reading.metric("temperature", {"r": "attic"}).value == 30
        assert reading.metric("on") == Metric("on", 1, "", {"lamp": "rack"})
        assert (reading.metric("power").value, reading.metric("power").kind) == (12_500, "counter")
        assert reading.metric("open").value == 1
        assert reading.metric("all").labels == {"topic": "power/total"}
        assert reading.metric("topic.count").value == 4
        assert {row["topic"] for row in reading.items["messages"]} == {
            "home/rack/SENSOR",
            "home/attic/SENSOR",
            "power/total",
            "door",
        }
        polls.clear()
        await publisher.publish("door", "closed", retain=True)
        await until(lambda: polls, "a new message to ask for a poll")
        assert (await reader.read()).metric("open").value == 0


async def test_what_is_no_number_or_did_not_come_is_told(
    resources: Resources, mosquitto: Service, publisher: aiomqtt.Client
) -> None:
    await publisher.publish("bad/text", "hot", retain=True)
    await publisher.publish("bad/json", "{", retain=True)
    silent = {"name": "silent", "topic": "nobody/publishes", "unit": "watt"}
    async with opened(resources, **config(mosquitto, resources, silent)) as reader:
        reading = await reader.read()
    assert (reading.status, reading.message) == (Status.UNKNOWN, "Nothing was published on nobody/publishes yet")
    assert reading.metric("silent") == Metric("silent", None, "watt")
    bad = ({"name": "text", "topic": "bad/text"}, {"name": "json", "topic": "bad/json", "path": "a"})
    async with opened(resources, **config(mosquitto, resources, *bad)) as reader:
        reading = await reader.read()
    assert reading.status is Status.DEGRADED
    assert reading.message == "bad/text: “hot” is not a number; bad/json: the payload is not JSON"


async def test_a_stale_value_is_missing(resources: Resources, mosquitto: Service, publisher: aiomqtt.Client) -> None:
    await publisher.publish("stale", "5", retain=True)
    metric = {"name": "m", "topic": "stale", "stale_seconds": 0.01}
    async with opened(resources, **config(mosquitto, resources, metric)) as reader:
        reading = await reader.read()
    assert reading.metric("m").value is None
    assert (reading.status, reading.message) == (Status.DEGRADED, "stale: nothing for more than 0.01 seconds")


async def test_a_secret_that_is_published_is_hidden(
    resources: Resources, mosquitto: Service, publisher: aiomqtt.Client
) -> None:
    await publisher.publish("leak", f"my {mosquitto.password}", retain=True)
    async with opened(resources, **config(mosquitto, resources, {"name": "m", "topic": "leak"})) as reader:
        reading = await reader.read()
    assert mosquitto.password not in str(reading.to_json())
    assert reading.items["messages"][0]["payload"] == "my •••"


async def test_large_messages_are_left_out(resources: Resources, mosquitto: Service, publisher: aiomqtt.Client) -> None:
    await publisher.publish("large", b"1" * 100_000, retain=True)
    await publisher.publish("huge", b"1" * 5_000_000, retain=True)
    metrics = ({"name": "m", "topic": "large"}, {"name": "n", "topic": "huge"})
    async with opened(resources, **config(mosquitto, resources, *metrics)) as reader:
        reading = await reader.read()
    assert [metric.value for metric in reading.metrics] == [None, None, 0]
    assert "1 messages are left out: they are too large" in reading.message
    for topic in ("large", "huge"):
        await publisher.publish(topic, b"", retain=True)


async def test_payloads_are_kept_up_to_a_sum(
    resources: Resources, mosquitto: Service, publisher: aiomqtt.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_feed, "_MOST_BYTES", 12)
    for topic in ("sum/a", "sum/b"):
        await publisher.publish(topic, "12345678", retain=True)
    async with opened(resources, **config(mosquitto, resources, {"name": "m", "topic": "sum/+"})) as reader:
        reading = await reader.read()
    assert reading.metric("topic.count").value == 1
    assert reading.message == "1 messages are left out: they are too large, or on more than 1,000 topics"


async def test_a_password_that_is_corrected_is_used_at_once(resources: Resources, mosquitto: Service) -> None:
    wanted = config(mosquitto, resources, {"name": "m", "topic": "t"})
    resources.secrets.values["mqtt"] = "wrong"
    async with opened(resources, **wanted) as reader:
        with pytest.raises(SourceFailedError, match="refuses the user name or password"):
            await reader.read()
        resources.secrets.values["mqtt"] = mosquitto.password
        assert (await reader.read()).status is Status.UNKNOWN


async def test_a_wrong_password_is_told(read: Any, resources: Resources, mosquitto: Service) -> None:
    for version in ("3.1.1", "5"):
        wrong = {**config(mosquitto, resources, {"name": "m", "topic": "t"}), "password": "wrong", "version": version}
        with pytest.raises(SourceFailedError, match=r"^The broker refuses the user name or password$"):
            await read("mqtt", **wrong)


async def test_a_broker_that_went_is_down_and_found_again(resources: Resources, tmp_path: Path) -> None:
    binary, port = required("mosquitto"), free_port()
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} {HOST}\nallow_anonymous true\nuser {getpass.getuser()}\npersistence true\n"
        f"persistence_location {tmp_path}/\n"
    )

    def command(_port: int) -> list[str]:
        return [binary, "-c", str(tmp_path / "mosquitto.conf")]

    async def publish(payload: str) -> None:
        async with aiomqtt.Client(HOST, port) as client:
            await client.publish("t", payload, retain=True)

    async def broken() -> bool:
        try:
            await reader.read()
        except SourceFailedError as error:
            return bool(str(error))
        return False

    async def back() -> Reading | None:
        try:
            reading: Reading = await reader.read()
        except SourceFailedError:
            return None
        return reading if reading.metrics[0].value == 2 else None

    async with opened(resources, host=HOST, port=port, metrics=[{"name": "m", "topic": "t"}]) as reader:
        with running("mosquitto", command, tmp_path, lambda _port: _accepts(port)):
            await publish("1")
            assert (await reader.read()).metrics[0].value == 1
        await until(broken, "the lost connection to be told")
        with running("mosquitto", command, tmp_path, lambda _port: _accepts(port)):
            await publish("2")
            await until(back, "the broker to be found again")


def _accepts(port: int) -> bool:
    import socket

    with socket.create_connection((HOST, port), timeout=1):
        return True


# The library drops a socket whose certificate it does not trust without closing it; it is closed as it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_tls_is_trusted_by_its_authority(
    authority: Authority, tmp_path: Path, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_feed, "ANSWER_SECONDS", 1.0)
    binary = required("mosquitto")
    authority.server()
    pem = tmp_path / "server.pem"
    pem.chmod(0o644)

    def command(port: int) -> list[str]:
        (tmp_path / "mosquitto.conf").write_text(
            f"listener {port} {HOST}\nallow_anonymous true\nuser {getpass.getuser()}\ncertfile {pem}\nkeyfile {pem}\n"
        )
        return [binary, "-c", str(tmp_path / "mosquitto.conf")]

    with running("mosquitto", command, tmp_path) as port:
        secure = {"host": HOST, "port": port, "tls": True, "metrics": [{"name": "m", "topic": "t"}]}
        assert (await read("mqtt", **secure, ca_certificate=authority.pem)).status is Status.UNKNOWN
        assert (await read("mqtt", **secure, verify_tls=False)).status is Status.UNKNOWN
        with pytest.raises(SourceFailedError, match="The certificate is not trusted"):
            await read("mqtt", **secure)
        with pytest.raises(SourceFailedError, match=r"connection|answer"):
            await read("mqtt", **{**secure, "tls": False})


@pytest.mark.parametrize("garbage", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00", b"\xff" * 100_000])
async def test_garbage_is_told(read: Any, garbage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_feed, "ANSWER_SECONDS", 1.0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(garbage)
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceFailedError, match=r"connection|answer"):
            await read("mqtt", host=HOST, port=port, metrics=[{"name": "m", "topic": "t"}])


async def test_nobody_there_is_told(read: Any) -> None:
    with pytest.raises(SourceFailedError, match=r"^Connection refused$"):
        await read("mqtt", host=HOST, port=free_port(), metrics=[{"name": "m", "topic": "t"}])


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/b", "$SYS/b", False),
        ("a/+/c", "a//c", True),
    ],
)
def test_filters_match_as_the_standard_says(pattern: str, topic: str, matches: bool) -> None:
    assert _matches(pattern, topic) is matches


@pytest.mark.parametrize("topic", ["a/#/b", "a+/b", "a#", ""])
async def test_a_wrong_topic_is_refused(read: Any, topic: str) -> None:
    with pytest.raises(InvalidConfigError, match="topic"):
        await read("mqtt", host=HOST, metrics=[{"name": "m", "topic": topic}])

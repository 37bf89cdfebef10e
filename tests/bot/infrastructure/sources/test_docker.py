from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.bot.application.collecting.polling import GuardedReader, Reader
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources
from app.bot.infrastructure.sources.docker.access import EngineAccess
from tests.support.programs.containers import IMAGE, PodmanEngine

Open = Callable[..., Reader]


class Watched:
    """A docker source that is polled whenever it asks for that, as the collection does."""

    def __init__(self, resources: Resources, config: dict[str, Any]) -> None:
        self.asked = asyncio.Event()
        definition = DataSource(1, "tested", "docker", config=config)
        self.reader = open_reader(definition, replace(resources, poll_soon=self.asked.set))

    async def until(self, condition: Callable[[Reading], Any], what: str) -> Reading:
        """The first reading that fulfils a condition; each but the first was asked for by the source itself."""
        async with asyncio.timeout(30):
            while True:
                self.asked.clear()
                reading = await self.reader.read()
                if condition(reading):
                    return reading
                await self.asked.wait()
        raise AssertionError(what)


@pytest.fixture
async def watch(resources: Resources, podman_engine: PodmanEngine) -> AsyncIterator[Callable[..., Watched]]:
    opened: list[Watched] = []

    def watch(**config: Any) -> Watched:
        opened.append(Watched(resources, {"address": podman_engine.address, **config}))
        return opened[-1]

    yield watch
    for watched in opened:
        await watched.reader.close()


def row(reading: Reading, name: str) -> dict[str, Any]:
    return dict(next(row for row in reading.items["containers"] if row["name"] == name))


async def test_containers_are_listed_with_what_they_use(podman_engine: PodmanEngine, watch: Any) -> None:
    labels = ["homelab.name=Shop", "homelab.icon=🛒", "com.docker.compose.project=market"]
    await podman_engine.run("web", *(part for label in labels for part in ("--label", label)))
    await podman_engine.run("job", command=("sh", "-c", "exit 3"))
    reading = await watch().until(
        lambda reading: (
            reading.metric("cpu.percent", {"container": "web"})
            and reading.metric("cpu.percent", {"container": "web"}).value is not None
            and row(reading, "job")["state"] == "exited"
        ),
        "the processor's use",
    )
    assert (reading.status, reading.message) == (Status.UP, "")
    assert [entry["name"] for entry in reading.items["containers"]] == ["job", "web"]
    shop = row(reading, "web")
    assert (shop["title"], shop["icon"], shop["project"], shop["image"]) == ("Shop", "🛒", "market", IMAGE)
    assert (shop["status"], shop["state"], shop["health"], shop["restarts"]) == ("running", "running", None, 0)
    assert shop["uptime"] >= 0
    assert shop["memory"] > 0
    assert shop["cpu"] >= 0
    assert (row(reading, "job")["exit_code"], row(reading, "job")["uptime"]) == (3, None)
    for name, value in (("running", 1), ("stopped", 1), ("paused", 0), ("total", 2), ("unhealthy", 0)):
        assert reading.metric(f"containers.{name}") == Metric(f"containers.{name}", value, "count")
    assert reading.metric("images.count") == Metric("images.count", 1, "count")
    memory = reading.metric("memory.used", {"container": "web"})
    assert memory == Metric("memory.used", shop["memory"], "bytes", {"container": "web"})
    limit = reading.metric("memory.limit", {"container": "web"})
    assert limit is not None
    assert limit.value is not None
    assert limit.value > shop["memory"]
    for name in ("network.receive", "network.transmit", "disk.read", "disk.write"):
        rate = reading.metric(name, {"container": "web"})
        assert rate is not None
        assert rate.value is not None
        assert rate.value >= 0
    assert reading.items["engine"][0]["version"]


async def test_only_chosen_containers_are_shown(podman_engine: PodmanEngine, read: Any) -> None:
    await podman_engine.run("web-1", "--label", "tier=front")
    await podman_engine.run("web-2", "--label", "tier=back")
    await podman_engine.run("web-3", "--label", "tier=front", "--label", "homelab.hide=true")
    await podman_engine.run("other", "--label", "tier=front")
    reading = await read(
        "docker", address=podman_engine.address, include=["WEB-*"], exclude=["*-9"], labels=["tier=front"], stats=False
    )
    assert [entry["name"] for entry in reading.items["containers"]] == ["web-1"]
    assert reading.metric("containers.total") == Metric("containers.total", 1, "count")
    assert reading.metric("cpu.percent") is None


async def test_what_happens_is_seen_without_waiting_for_the_interval(podman_engine: PodmanEngine, watch: Any) -> None:
    await podman_engine.run("web")
    watched = watch()
    await watched.until(lambda reading: row(reading, "web")["state"] == "running", "it to run")
    for command, state in (("pause", "paused"), ("unpause", "running"), ("stop", "exited"), ("start", "running")):
        await podman_engine.podman(command, "web")
        await watched.until(lambda reading, state=state: row(reading, "web")["state"] == state, state)
    reading = await watched.until(
        lambda reading: {"pause", "unpause", "die"} <= {event["action"] for event in reading.items["events"]}, "events"
    )
    assert {event["container"] for event in reading.items["events"]} == {"web"}
    times = [event["time"] for event in reading.items["events"]]
    assert times == sorted(times)


async def test_an_unhealthy_container_degrades(podman_engine: PodmanEngine, watch: Any) -> None:
    await podman_engine.run("web", "--health-cmd", "false", "--health-retries", "1", "--health-interval", "disable")
    watched = watch()
    await watched.until(lambda reading: row(reading, "web")["health"] == "starting", "its health")
    with pytest.raises(AssertionError):  # the check's own answer
        await podman_engine.podman("healthcheck", "run", "web")
    watched.asked.set()
    reading = await watched.reader.read()
    while reading.status is Status.UP:
        reading = await watched.reader.read()
    assert (reading.status, reading.message) == (Status.DEGRADED, "web is unhealthy")
    assert row(reading, "web")["status"] == "unhealthy"
    assert reading.metric("containers.unhealthy") == Metric("containers.unhealthy", 1, "count")


async def test_a_restart_loop_degrades(podman_engine: PodmanEngine, watch: Any) -> None:
    watched = watch(stats=False)
    await watched.until(lambda reading: not reading.items["containers"], "nothing to run")
    await podman_engine.run("web", "--restart", "on-failure", command=("sh", "-c", "sleep 1; exit 1"))
    reading = await watched.until(lambda reading: reading.status is Status.DEGRADED, "the trouble to be seen")
    assert reading.message == "web restarts again and again"


async def test_the_last_lines_of_logs_are_tables(podman_engine: PodmanEngine, watch: Any) -> None:
    script = "for i in 1 2 3 4; do echo line $i; done; echo 'ERROR: no disk' >&2; while true; do sleep 0.2; done"
    await podman_engine.run("web", command=("sh", "-c", script))
    watched = watch(logs=[{"container": "web", "lines": 3}, {"container": "gone"}])

    def is_complete(reading: Reading) -> bool:
        lines = reading.items["log.web"]
        watched.asked.set()  # nothing happens that would be told
        return bool(lines) and any("disk" in line["message"] for line in lines) and len(lines) == 3

    reading = await watched.until(is_complete, "all lines")
    messages = {line["message"]: line for line in reading.items["log.web"]}
    assert messages["ERROR: no disk"]["level"] == "error"
    assert messages["ERROR: no disk"]["stream"] == "stderr"
    assert all(line["time"] for line in reading.items["log.web"])
    assert reading.items["log.gone"] == []
    assert reading.status is Status.DEGRADED
    assert "The log of gone cannot be read" in reading.message


async def test_an_engine_that_goes_and_comes_back(podman_engine: PodmanEngine, watch: Any) -> None:
    await podman_engine.run("web")
    watched = watch()
    await watched.until(lambda reading: reading.items["events"], "events to be heard")
    watched.asked.clear()
    await watched.reader.read()
    await podman_engine.stop()
    await asyncio.wait_for(watched.asked.wait(), 30)  # the end of the events is noticed at once
    with pytest.raises(Exception, match=r"There is no socket .*docker\.sock\. Does Docker run"):
        await watched.reader.read()
    watched.asked.clear()
    await podman_engine.start()
    await asyncio.wait_for(watched.asked.wait(), 30)  # and its return, before the next poll
    reading = await watched.reader.read()
    assert reading.status is Status.UP


async def test_an_engine_that_never_answers_ends_with_the_polls_time(resources: Resources, tmp_path: Path) -> None:
    socket = tmp_path / "docker.sock"
    silent = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_unix_server(serve, socket)
    definition = DataSource(1, "tested", "docker", config={"address": f"unix://{socket}"})
    reader = GuardedReader(open_reader(definition, resources), lambda: datetime.now(UTC))
    outcome = await reader.poll(0.2)
    assert outcome.error == "No answer within 0.2 s"
    again = await reader.poll(0.2)
    assert again.error == "No answer within 0.2 s"  # nothing is left over from the first
    await reader.close()
    silent.set()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"address": "docker.local"}, "address: must start with unix://"),
        ({"address": "unix://var/run/docker.sock"}, "address: a socket needs its whole path"),
        ({"address": "tcp://user:pass@host:2375"}, "address: must hold no password"),
        ({"address": "ssh://root:pass@host"}, "address: must hold no password"),
        ({"address": "tcp://:2375"}, "address: names no host"),
        ({"address": "tcp://host:2375/v1.40"}, "address: has a path"),
        ({"address": "https://host", "tls_key": "/key.pem"}, "belong together"),
        ({"logs": [{"container": "web", "lines": 0}]}, "logs.0.lines"),
    ],
)
async def test_a_wrong_config_names_the_field(read: Any, config: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidConfigError, match=problem):
        await read("docker", **config)


def test_tls_is_used_where_it_is_wanted() -> None:
    assert EngineAccess(address="https://host").uses_tls
    assert EngineAccess(address="tcp://host:2376", tls_ca="/ca.pem").uses_tls
    assert not EngineAccess(address="tcp://host:2375").uses_tls

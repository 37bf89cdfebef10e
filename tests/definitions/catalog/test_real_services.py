"""Integrations of the catalog, against the real services. `make test-services` installs those.

docs/integrations.md says of a type that it is tested against the real service when there is a test here that is named
after it: test_NAME.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.integrations.source import open_integration
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.sources import Resources
from tests.definitions.catalog.test_integrations import Secrets, definition_of, read, type_of
from tests.support.programs.monitoring import running_prometheus
from tests.support.services import HOST, Service
from tests.support.waiting import until

_LARGEST = {"percent": 100.0, "celsius": 150.0, "ratio": 1.0}
"""By unit; a percentage of several processors is another matter, and no type gives one."""


async def read_real(name: str, params: Mapping[str, Any], absent: Set[str] = frozenset()) -> Reading:
    """A reading, once it is complete: of every metric of the type but `absent` there is a value that can be true."""
    expected = {metric.name for metric in definition_of(name).metrics} - absent

    async def complete() -> Reading | None:
        nonlocal latest
        latest, _ = await read(name, {"params": dict(params)}, "")
        return latest if expected <= {metric.name for metric in latest.metrics if metric.value is not None} else None

    latest: Reading | None = None
    await until(complete, lambda: sorted(expected - {m.name for m in latest.metrics if m.value is not None}))  # type: ignore[union-attr]
    assert latest is not None
    for metric in latest.metrics:
        assert metric.value is None or 0.0 <= metric.value <= _LARGEST.get(metric.unit, float("inf")), metric
    return latest


async def refusal(name: str, params: Mapping[str, Any]) -> str:
    """Why there is no reading."""
    async with make_session() as session:
        resources = Resources(session, Secrets({}), Statistics())
        source = open_integration(type_of(name), DataSource(1, name, name, config=dict(params)), resources)
        return (await source.test()).error or ""


def value(reading: Reading, name: str, **labels: str) -> float:
    metric = reading.metric(name, labels)
    assert isinstance(metric, Metric), name
    assert metric.value is not None, name
    return metric.value


async def test_glances(glances: Service) -> None:
    absent = {"battery.percent", "fan.speed", "temperature"} | {"gpu.percent", "gpu.memory.percent", "gpu.temperature"}
    reading = await read_real("glances", {"url": glances.url}, absent)
    assert (reading.status, reading.message) == (Status.UP, "")
    assert value(reading, "memory.used") < value(reading, "memory.total")
    assert value(reading, "cpu.count") >= 1
    assert value(reading, "process.count") > 1


async def test_nginx(nginx: Service) -> None:
    reading = await read_real("nginx", {"url": f"{nginx.url}/status"})
    assert (reading.status, reading.message) == (Status.UP, "")
    assert value(reading, "connections.active") >= 1
    assert value(reading, "requests") >= value(reading, "connections.handled") > 0
    assert value(reading, "connections.dropped") == 0


MAGNET = "magnet:?xt=urn:btih:c9e15763f722f23e98a29decdfae341b98d53056&dn=Lab"


async def test_transmission(transmission: Service) -> None:
    params = {"url": transmission.url, "username": transmission.username, "password": transmission.password}
    reading = await read_real("transmission", params)
    assert (reading.status, reading.message, value(reading, "torrents.total")) == (Status.UP, "", 0)
    await add_to_transmission(transmission)
    reading = await read_real("transmission", params)
    assert (value(reading, "torrents.total"), value(reading, "torrents.paused")) == (1, 1)
    (row,) = reading.items["torrents"]
    assert (row["name"], row["status"], row["progress"], row["time_left"]) == ("Lab", "paused", 0, None)


async def add_to_transmission(transmission: Service) -> None:
    """Add a torrent that waits."""
    address = f"{transmission.url}/transmission/rpc"
    adding = {"method": "torrent-add", "arguments": {"filename": MAGNET, "paused": True}}
    login = {"Authorization": aiohttp.encode_basic_auth(transmission.username, transmission.password)}
    async with aiohttp.ClientSession(headers=login) as session:
        async with session.post(address) as refused:
            mark = {"X-Transmission-Session-Id": refused.headers["X-Transmission-Session-Id"]}
        async with session.post(address, json=adding, headers=mark) as answer:
            assert (await answer.json())["result"] == "success"


async def test_transmission_with_a_wrong_password(transmission: Service) -> None:
    params = {"url": transmission.url, "username": transmission.username, "password": "wrong"}
    assert (
        await refusal("transmission", params)
        == "session: The log-in was refused (401 Unauthorized). Check the credentials"
    )


async def test_qbittorrent(qbittorrent: Service) -> None:
    login = {"username": qbittorrent.username, "password": qbittorrent.password}
    params = {"url": qbittorrent.url, **login}
    reading = await read_real("qbittorrent", params)
    assert (reading.status, reading.message, value(reading, "torrents.total")) == (Status.UP, "", 0)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        for path, form in (("auth/login", login), ("torrents/add", {"urls": MAGNET, "paused": "true"})):
            async with session.post(f"{qbittorrent.url}/api/v2/{path}", data=form) as answer:
                assert await answer.text() == "Ok."

    async def with_torrent() -> Reading | None:
        reading = await read_real("qbittorrent", params)
        return reading if value(reading, "torrents.total") else None

    reading = await until(with_torrent, "the torrent")
    assert (value(reading, "torrents.paused"), value(reading, "torrents.failed")) == (1, 0)
    (row,) = reading.items["torrents"]
    assert (row["name"], row["state"], row["progress"], row["time_left"]) == ("Lab", "pausedDL", 0, None)


async def test_qbittorrent_with_a_wrong_password(qbittorrent: Service) -> None:
    params = {"url": qbittorrent.url, "username": qbittorrent.username, "password": "wrong"}
    assert await refusal("qbittorrent", params) == "main: The log-in was refused. Check the credentials"


async def test_syncthing(syncthing: Service) -> None:
    reading = await read_real("syncthing", {"url": syncthing.url, "api_key": syncthing.password})
    assert (reading.status, reading.message) == (Status.UP, "")
    assert value(reading, "completion.percent") == 100
    assert (value(reading, "folders.total"), value(reading, "devices.total")) == (1, 0)
    assert [(row["name"], row["status"]) for row in reading.items["folders"]] == [("Default Folder", "idle")]
    assert [row["status"] for row in reading.items["devices"]] == ["up"]


async def test_prometheus_server(prometheus: Service) -> None:
    reading = await read_real("prometheus_server", {"url": prometheus.url})
    assert (reading.status, reading.message) == (Status.UP, "")
    assert (value(reading, "targets.up"), value(reading, "targets.down")) == (1, 0)
    assert (value(reading, "alerts.firing"), value(reading, "alerts.critical")) == (1, 0)
    assert value(reading, "series") > 100
    assert [row["name"] for row in reading.items["alerts"]] == ["Watchdog"]


@pytest.mark.service
async def test_prometheus_server_with_a_target_that_is_down(tmp_path: Path) -> None:
    with running_prometheus(tmp_path, f"{HOST}:1") as server:

        async def down() -> Reading | None:
            reading = await read_real("prometheus_server", {"url": server.url})
            return reading if value(reading, "targets.down") else None

        reading = await until(down, "the target to be down")
    assert (reading.status, reading.message) == (Status.DEGRADED, f"Down: lab {HOST}:1")


async def test_netdata(netdata: Service) -> None:
    reading = await read_real("netdata", {"url": netdata.url}, {"swap.used"})
    assert (reading.status, reading.message) == (Status.UP, "")
    assert value(reading, "memory.used") < value(reading, "memory.total")
    assert value(reading, "memory.total") == pytest.approx(psutil.virtual_memory().total, rel=0.05)
    assert value(reading, "cpu.count") == psutil.cpu_count()
    assert value(reading, "disk.percent", mount="/") == pytest.approx(psutil.disk_usage("/").percent, abs=5)
    assert value(reading, "alarms.warning") == 1
    assert [(row["name"], row["level"]) for row in reading.items["alarms"]] == [("always_raised", "WARNING")]

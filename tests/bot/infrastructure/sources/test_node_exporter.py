from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.network.http_requests import RequestFailedError
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources, SourceFailedError
from tests.support.local_servers import Handler, http_server, nobody
from tests.support.services import Service

MACHINE = """\
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{{cpu="0",mode="idle"}} {idle}
node_cpu_seconds_total{{cpu="0",mode="iowait"}} 5
node_cpu_seconds_total{{cpu="0",mode="user"}} {user}
node_cpu_seconds_total{{cpu="10",mode="idle"}} 50
node_cpu_seconds_total{{cpu="2",mode="idle"}} {idle}
# TYPE node_disk_read_bytes_total counter
node_disk_read_bytes_total{{device="sda"}} 100
node_disk_read_bytes_total{{device="dm-0"}} 100
node_disk_written_bytes_total{{device="sda"}} 100
node_filesystem_size_bytes{{device="/dev/sda1",fstype="ext4",mountpoint="/"}} 1000
node_filesystem_size_bytes{{device="/dev/sda1",fstype="ext4",mountpoint="/bind/of/it"}} 1000
node_filesystem_size_bytes{{device="tmpfs",fstype="tmpfs",mountpoint="/run"}} 1000
node_filesystem_size_bytes{{device="/dev/sdb1",fstype="xfs",mountpoint="/srv"}} 4000
node_filesystem_free_bytes{{device="/dev/sda1",fstype="ext4",mountpoint="/"}} 500
node_filesystem_avail_bytes{{device="/dev/sda1",fstype="ext4",mountpoint="/"}} 300
# TYPE node_load1 gauge
node_load1 0.25
node_load5 0.5
node_load15 0.75
node_memory_MemTotal_bytes 1000
node_memory_MemAvailable_bytes 250
node_memory_SwapTotal_bytes 400
node_memory_SwapFree_bytes 300
node_network_receive_bytes_total{{device="eth0"}} {received}
node_network_transmit_bytes_total{{device="eth0"}} 100
node_network_receive_bytes_total{{device="lo"}} 100
node_network_transmit_bytes_total{{device="lo"}} 100
node_hwmon_chip_names{{chip="platform_coretemp_0",chip_name="coretemp"}} 1
node_hwmon_sensor_label{{chip="platform_coretemp_0",label="Core 0",sensor="temp2"}} 1
node_hwmon_temp_celsius{{chip="platform_coretemp_0",sensor="temp1"}} 41
node_hwmon_temp_celsius{{chip="platform_coretemp_0",sensor="temp2"}} 42
node_hwmon_temp_celsius{{chip="nvme_nvme0",sensor="temp1"}} 43
node_boot_time_seconds 1.7e+09
node_time_seconds 1.7000001e+09
"""
SERVICE = """\
# TYPE http_requests_total counter
http_requests_total{code="200",path="/"} 7
http_requests_total{code="500",path="/"} 1
# TYPE http_latency_seconds histogram
http_latency_seconds_bucket{le="0.1"} 3
http_latency_seconds_bucket{le="+Inf"} 8
http_latency_seconds_sum 1.5
http_latency_seconds_count 8
# TYPE cache_ratio gauge
cache_ratio 0.5
cache_size_bytes NaN
sent_bytes_total 12
"""


def answering(text: str, **response: Any) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, **response)

    return answer


async def scraped(read: Any, text: str, **config: Any) -> Any:
    async with http_server(answering(text)) as address:
        return await read("node_exporter", url=address, **config)


def value(reading: Reading, name: str, **labels: str) -> float | None:
    metric = reading.metric(name, labels)
    assert metric is not None, name
    return metric.value


async def names_of(read: Callable[[], Awaitable[Reading]]) -> dict[str, str]:
    return {metric.name: metric.unit for metric in (await read()).metrics}


async def test_a_real_exporter_tells_what_the_host_type_tells(
    resources: Resources, read: Any, node_exporter: Service
) -> None:
    config = {"url": node_exporter.url}
    reader = open_reader(DataSource(1, "tested", "node_exporter", config=config), resources)
    first = await reader.read()
    assert value(first, "cpu.percent") is None
    await asyncio.sleep(0.3)
    reading = await reader.read()
    assert (reading.status, reading.message) == (Status.UP, "")
    assert 0 <= value(reading, "cpu.percent") <= 100
    for name in ("memory.percent", "uptime", "load.1", "network.receive"):
        assert value(reading, name) is not None, name
    host = await names_of(lambda: read("host"))
    told = {metric.name: metric.unit for metric in reading.metrics}
    # These depend on the machine, and on collectors that the exporter has off.
    there = {name: unit for name, unit in host.items() if name not in ("process.count", "temperature")}
    assert there.items() <= told.items()
    assert [row["mount"] for row in reading.items["disks"]]


async def test_what_node_exporter_tells_becomes_the_metrics_of_a_host(resources: Resources) -> None:
    texts = [
        MACHINE.format(idle=100, user=100, received=1_000),
        MACHINE.format(idle=103, user=101, received=2_000),
        MACHINE.format(idle=104, user=102, received=10),
    ]

    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/metrics"
        return web.Response(text=texts.pop(0))

    async with http_server(answer) as address:
        reader = open_reader(DataSource(1, "tested", "node_exporter", config={"url": address}), resources)
        await reader.read()
        reading = await reader.read()
        restarted = await reader.read()
    assert value(reading, "cpu.core.percent", core="0") == 25
    assert value(reading, "cpu.core.percent", core="1") == 0
    assert value(reading, "cpu.core.percent", core="2") is None
    assert value(reading, "cpu.percent") == pytest.approx(100 / 7)
    assert value(reading, "cpu.count") == 3
    assert value(reading, "memory.percent") == 75
    assert value(reading, "swap.used") == 100
    assert value(reading, "uptime") == 100
    assert value(reading, "disk.percent", mount="/") == pytest.approx(500 / 800 * 100)
    assert value(reading, "disk.percent", mount="/srv") is None
    assert value(reading, "disk.read") == 0
    assert [row["mount"] for row in reading.items["disks"]] == ["/", "/srv"]
    assert [row["interface"] for row in reading.items["interfaces"]] == ["eth0"]
    assert value(reading, "network.received") == 2_000
    assert value(reading, "network.receive") > 0
    assert value(restarted, "network.receive") is None
    temperatures = {metric.labels["sensor"]: metric.value for metric in reading.metrics if metric.name == "temperature"}
    assert temperatures == {"coretemp": 41, "coretemp Core 0": 42, "nvme_nvme0": 43}


async def test_other_metrics_are_taken_by_their_names(read: Any) -> None:
    reading = await scraped(
        read,
        SERVICE,
        metrics=[
            {"pattern": "http_requests_total", "labels": {"code": "5??"}, "name": "failures", "unit": "count"},
            {"pattern": "http_latency_seconds_*"},
            {"pattern": "c*", "scale": 100},
            {"pattern": "sent_*"},
        ],
    )
    assert (reading.status, reading.message) == (Status.UP, "")
    counter, gauge = MetricKind.COUNTER, MetricKind.GAUGE
    assert reading.metrics == (
        Metric("failures", 1, "count", {"code": "500", "path": "/"}, counter),
        Metric("http_latency_seconds_bucket", 3, "", {"le": "0.1"}, counter),
        Metric("http_latency_seconds_bucket", 8, "", {"le": "+Inf"}, counter),
        Metric("http_latency_seconds_sum", 1.5, "seconds", {}, counter),
        Metric("http_latency_seconds_count", 8, "", {}, counter),
        Metric("cache_ratio", 50, "ratio", {}, gauge),
        Metric("cache_size_bytes", None, "bytes", {}, gauge),
        Metric("sent_bytes_total", 12, "bytes", {}, counter),
    )
    assert reading.items["samples"][0] == {"code": "500", "path": "/", "name": "http_requests_total", "value": 1}


async def test_what_is_not_there_is_missing_and_told(read: Any) -> None:
    reading = await scraped(read, SERVICE, metrics=[{"pattern": "nothing", "unit": "bytes"}])
    assert reading.metrics == (Metric("nothing", None, "bytes"),)
    assert (reading.status, reading.message) == (Status.DEGRADED, "There is no “nothing”")
    reading = await scraped(read, SERVICE)
    assert reading.status is Status.DEGRADED
    assert "say under `metrics` which to take" in reading.message


async def test_samples_are_capped(read: Any) -> None:
    text = "".join(f'm{{n="{number}"}} 1\n' for number in range(600))
    reading = await scraped(read, text, metrics=[{"pattern": "m"}])
    assert len(reading.metrics) == 500
    assert reading.message == "600 samples fit, of which the first 500 are kept"
    text = "".join(f'm{{n="{number}"}} 1\n' for number in range(20_001))
    with pytest.raises(SourceFailedError, match="More than 20,000 samples are wanted"):
        await scraped(read, text, metrics=[{"pattern": "m"}])


async def test_a_large_answer_of_which_little_is_wanted_is_read(read: Any) -> None:
    text = "".join(f'other{{n="{number}"}} 1\n' for number in range(200_000)) + "wanted 5\n"
    reading = await scraped(read, text, metrics=[{"pattern": "wanted"}])
    assert value(reading, "wanted") == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>\nnode of <b>", "Not Prometheus' text format: it begins with “<html> node of <b>”"),
        ("", "Not Prometheus' text format: the answer is empty"),
        ('m{a="} 5\n', "A line of the metrics cannot be read"),
        ("ok 1\nm five\n", "A line of the metrics cannot be read"),
        ('{"json": 3}', "Not Prometheus' text format: it begins with"),
    ],
)
async def test_what_is_no_exposition_says_so(read: Any, text: str, message: str) -> None:
    with pytest.raises(SourceFailedError, match=f"^{message}"):
        await scraped(read, text, metrics=[{"pattern": "m"}])


async def test_failures_of_the_server_are_told(read: Any) -> None:
    async with http_server(answering("no", status=500)) as address:
        with pytest.raises(SourceFailedError, match="Answered 500 Internal Server Error"):
            await read("node_exporter", url=address)
    async with http_server(answering("m 1\n" * 4_000_000)) as address:
        with pytest.raises(SourceFailedError, match="larger than 10 MiB"):
            await read("node_exporter", url=address)
    async with nobody() as address:
        with pytest.raises(RequestFailedError, match="Connection refused"):
            await read("node_exporter", url=address)


async def test_a_secret_that_comes_back_is_hidden(read: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f'm{{sent="{request.headers["Authorization"]}"}} 1\n')

    async with http_server(answer) as address:
        auth = {"type": "bearer", "token": "${secret:token}"}
        reading = await read("node_exporter", url=address + "/probe?x=1", auth=auth, metrics=[{"pattern": "m"}])
    assert reading.metrics[0].labels == {"sent": "•••"}


async def test_a_config_that_takes_nothing_is_refused(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match="metrics: enter at least one"):
        await read("node_exporter", url="http://host", machine=False)

from __future__ import annotations

import asyncio
import socket
import threading
from collections import namedtuple
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psutil
import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources, SourceFailedError
from app.bot.infrastructure.sources.host import samples as host_samples
from app.bot.infrastructure.sources.host.samples import Counters, Disk, busy_percent, rate
from app.bot.infrastructure.sources.host.source import Host
from app.bot.infrastructure.threads import in_thread

Partition = namedtuple("Partition", "device mountpoint fstype opts")
Usage = namedtuple("Usage", "total used free percent")


def values(reading: Reading, name: str) -> list[float | None]:
    return [metric.value for metric in reading.metrics if metric.name == name]


async def test_this_very_machine(resources: Resources) -> None:
    reader = open_reader(DataSource(1, "host", "host"), resources)
    reading = await reader.read()
    assert (reading.status, reading.message) == (Status.UP, "")
    for name in ("cpu.percent", "cpu.count", "load.1", "memory.total", "memory.percent", "uptime", "process.count"):
        (value,) = values(reading, name)
        assert value is not None, name
    assert len(values(reading, "cpu.core.percent")) == psutil.cpu_count()
    assert all(0 <= (value or 0) <= 100 for value in values(reading, "cpu.core.percent"))
    total, used = values(reading, "memory.total")[0] or 0, values(reading, "memory.used")[0] or 0
    assert total == psutil.virtual_memory().total > used > 0
    assert 0 < len(reading.items["processes"]) <= 10
    assert {"name", "pid", "cpu", "memory"} == set(reading.items["processes"][0])
    assert (await reader.read()).status is Status.UP
    await reader.close()


async def test_mounts_and_interfaces_can_be_named(read: Any) -> None:
    reading = await read("host", disks=["/", "/no/such/mount"], interfaces=["lo", "no0"], processes=0)
    assert [row["mount"] for row in reading.items["disks"]] == ["/", "/no/such/mount"]
    assert values(reading, "disk.percent")[1] is None
    assert [row["interface"] for row in reading.items["interfaces"]] == ["lo", "no0"]
    metric = reading.metric("network.received", {"interface": "lo"})
    assert metric is not None
    assert metric.value == values(reading, "network.received")[0]
    missing = reading.metric("network.receive", {"interface": "no0"})
    assert missing is not None
    assert missing.value is None
    assert "processes" not in reading.items


async def test_pseudo_filesystems_files_and_second_mounts_of_a_device_are_left_out(
    read: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "hosts").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    partitions = [
        Partition("/dev/sdb1", str(tmp_path / "deep" / "er"), "ext4", ""),
        Partition("/dev/sdb1", str(tmp_path / "data"), "ext4", ""),
        Partition("/dev/sdc1", str(tmp_path / "hosts"), "ext4", ""),
        Partition("tmpfs", str(tmp_path / "deep"), "tmpfs", ""),
        Partition("nas:/x", "/mnt/dead", "nfs4", ""),
        Partition("proc", "/proc", "proc", ""),
        Partition("overlay", "/", "overlay", ""),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: partitions)
    monkeypatch.setattr(psutil, "disk_usage", lambda mount: Usage(100, 30, 60, 33.3))
    reading = await read("host")
    assert [row["mount"] for row in reading.items["disks"]] == ["/", str(tmp_path / "data")]
    assert values(reading, "disk.percent") == [pytest.approx(100 / 3)] * 2


async def test_loopback_and_virtual_interfaces_are_left_out(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state = namedtuple("State", "isup")
    address = namedtuple("Address", "family address")
    counters = namedtuple("Counters", "bytes_recv bytes_sent")
    up = ["lo", "eth0", "veth12", "docker0", "br-1", "wg0"]
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {**{name: state(True) for name in up}, "eth1": state(False)})
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": [address(socket.AF_INET, "192.0.2.5")]})
    received = iter((1_000, 5_000))

    def network(**_options: bool) -> dict[str, Any]:
        return {"eth0": counters(next(received), 7), "wg0": counters(10, 10)}

    monkeypatch.setattr(psutil, "net_io_counters", network)
    reading = await read("host")
    assert [row["interface"] for row in reading.items["interfaces"]] == ["eth0", "wg0"]
    assert reading.items["interfaces"][0]["address"] == "192.0.2.5"
    assert values(reading, "network.received") == [5_010, 5_000, 10]
    assert all((value or 0) > 0 for value in values(reading, "network.receive")[:2])
    assert values(reading, "network.transmit") == [0, 0, 0]


async def test_what_this_machine_lacks_is_absent_and_what_fails_is_told(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_arguments: Any, **_options: Any) -> Any:
        raise NotImplementedError

    def denied(*_arguments: Any, **_options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    monkeypatch.setattr(psutil, "disk_io_counters", absent)
    monkeypatch.setattr(psutil, "swap_memory", denied)
    reading = await read("host")
    assert (reading.status, reading.message) == (Status.DEGRADED, "swap: Permission denied")
    assert values(reading, "temperature") == values(reading, "disk.read") == values(reading, "swap.total") == []
    assert values(reading, "memory.total") != []


async def test_temperatures_of_one_name_are_numbered(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = namedtuple("Sensor", "label current")
    sensors = {"nvme": [sensor("", 40.0), sensor("", 41.0)], "coretemp": [sensor("Core 0", 50.0)]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    reading = await read("host")
    temperatures = {metric.labels["sensor"]: metric.value for metric in reading.metrics if metric.name == "temperature"}
    assert temperatures == {"coretemp Core 0": 50.0, "nvme": 40.0, "nvme 2": 41.0}


async def test_a_reading_that_hangs_is_not_joined_by_a_second(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, entered = threading.Event(), threading.Event()

    def hang(_self: Host) -> Reading:
        entered.set()
        release.wait()
        raise SourceFailedError("released")

    monkeypatch.setattr(Host, "_read", hang)
    reader = open_reader(DataSource(1, "host", "host"), resources)

    first = asyncio.create_task(reader.read())
    try:
        assert await in_thread(lambda: entered.wait(10), "entered")
        with pytest.raises(SourceFailedError, match="still hangs"):
            await reader.read()
    finally:
        release.set()
    with pytest.raises(SourceFailedError, match="released"):
        await first


@pytest.mark.parametrize(
    ("now", "before", "seconds", "expected"),
    [(300, 100, 2.0, 100), (100, 100, 2.0, 0), (5, 4_000_000_000, 2.0, None), (300, 100, 0.0, None)],
)
def test_a_counter_that_went_back_has_no_rate(
    now: float, before: float, seconds: float, expected: float | None
) -> None:
    assert rate(now, before, seconds) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ([(5, 20), (10, 20)], [(0, 10), (5, 10)], 50),
        ([(4, 20)], [(5, 10)], 0),
        ([(5, 10)], [(5, 10)], None),
        ([(5, 10), (5, 10)], [(1, 2)], None),
        ([], [], None),
    ],
)
def test_how_busy_cores_were(now: Any, before: Any, expected: float | None) -> None:
    assert busy_percent(now, before) == expected


def test_guest_time_counts_once_and_waiting_is_not_busy() -> None:
    times = namedtuple("Times", "user nice system idle iowait guest guest_nice")
    assert host_samples._busy_and_total(times(30, 0, 10, 50, 10, 20, 0)) == (40, 100)


def test_how_full_a_disk_is_counts_as_df_does() -> None:
    assert Disk("/", "ext4", 100, 45, 45).percent == 50
    assert Disk("/", "ext4").percent is None
    assert Disk("/", "ext4", 0, 0, 0).percent is None


class Process:
    """A process as psutil tells of it; one that ended raises."""

    def __init__(self, pid: int, memory: int, ended: bool = False) -> None:
        self.pid = pid
        self._memory = memory
        self._ended = ended

    def oneshot(self) -> AbstractContextManager[None]:
        return nullcontext()

    def name(self) -> str:
        if self._ended:
            raise psutil.NoSuchProcess(self.pid)
        return f"p{self.pid}"

    def memory_info(self) -> Any:
        return namedtuple("Memory", "rss")(self._memory)


def test_processes_are_the_top_by_cpu_and_by_memory() -> None:
    idle, busy, large, new, gone = (
        Process(1, 10),
        Process(2, 20),
        Process(3, 900),
        Process(4, 30),
        Process(5, 5, ended=True),
    )
    before: Any = {idle: 7.0, busy: 1.0, large: 5.0, gone: 0.0}
    now: Any = {idle: 7.0, busy: 4.0, large: 5.5, new: 9.0, gone: 9.0}
    rows = host_samples.top_processes(Counters(12.0, processes=now), Counters(10.0, processes=before), 1)
    assert rows == [
        {"name": "p2", "pid": 2, "cpu": 150.0, "memory": 20},
        {"name": "p3", "pid": 3, "cpu": 25.0, "memory": 900},
    ]
    every = host_samples.top_processes(Counters(12.0, processes=now), Counters(10.0, processes=before), 10)
    assert [(row["pid"], row["cpu"]) for row in every] == [(2, 150.0), (3, 25.0), (4, None), (1, 0.0)]


@pytest.mark.parametrize(
    ("config", "field"), [({"processes": -1}, "processes"), ({"disk": ["/"]}, "disk: no such setting")]
)
async def test_a_wrong_config_names_the_field(read: Any, config: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConfigError, match=field):
        await read("host", **config)

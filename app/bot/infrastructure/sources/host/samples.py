"""What psutil tells of this machine. Everything here blocks and belongs in a thread.

A part that this system does not have (temperatures, swap, a load average) is simply absent; one that fails for another
reason is told by name.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import psutil

Part = TypeVar("Part")

_ABSENT = (NotImplementedError, AttributeError, FileNotFoundError)
_FAILED = (psutil.Error, OSError, RuntimeError, ValueError, KeyError, IndexError)


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters that only become values against earlier ones. `at` is in seconds of a clock that never steps."""

    at: float
    cores: Sequence[tuple[float, float]] = ()
    """Busy and total seconds of each core."""
    network: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Bytes received and sent by interface."""
    disk: tuple[int, int] | None = None
    """Bytes read and written over all disks."""
    processes: Mapping[psutil.Process, float] = field(default_factory=dict)
    """Seconds of CPU time by process; a number that another process got later is another key."""


class Parts:
    """Reads parts of the machine; a failure of one leaves the others."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def read(self, name: str, function: Callable[[], Part]) -> Part | None:
        """Return what `function` gives, or None when this machine has no such thing or it cannot be read."""
        try:
            return function()
        except _ABSENT:
            return None
        except _FAILED as error:
            self.failures.append(f"{name}: {getattr(error, 'strerror', None) or type(error).__name__}")
            return None


def take_counters(parts: Parts, *, with_processes: bool) -> Counters:
    """All counters at one moment."""
    return Counters(
        time.perf_counter(),
        parts.read("CPU", _core_times) or (),
        parts.read("network", _network_bytes) or {},
        parts.read("disk traffic", _disk_bytes),
        (parts.read("processes", _process_times) if with_processes else None) or {},
    )


def _core_times() -> Sequence[tuple[float, float]]:
    return [_busy_and_total(times) for times in psutil.cpu_times(percpu=True)]


def _busy_and_total(times: Any) -> tuple[float, float]:
    """Guest time is part of user time on Linux already; waiting for a disk is not being busy."""
    values = times._asdict()
    total = sum(values.values()) - values.get("guest", 0.0) - values.get("guest_nice", 0.0)
    return total - values["idle"] - values.get("iowait", 0.0), total


def _network_bytes() -> Mapping[str, tuple[int, int]]:
    counters = psutil.net_io_counters(pernic=True, nowrap=False)
    return {name: (counter.bytes_recv, counter.bytes_sent) for name, counter in counters.items()}


def _disk_bytes() -> tuple[int, int] | None:
    counters = psutil.disk_io_counters(nowrap=False)
    return (counters.read_bytes, counters.write_bytes) if counters else None


def _process_times() -> Mapping[psutil.Process, float]:
    found: dict[psutil.Process, float] = {}
    for process in psutil.process_iter(["cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            found[process] = times.user + times.system
    return found


def rate(now: float, before: float, seconds: float) -> float | None:
    """Change per second, or None where there is none: a counter that went back began again in between."""
    return (now - before) / seconds if seconds > 0 and now >= before else None


def busy_percent(now: Sequence[tuple[float, float]], before: Sequence[tuple[float, float]]) -> float | None:
    """How busy these cores were from one sample to the next, 0 to 100; None when that cannot be told."""
    if not now or len(now) != len(before):
        return None
    busy = sum(busy for busy, _ in now) - sum(busy for busy, _ in before)
    total = sum(total for _, total in now) - sum(total for _, total in before)
    # The kernel's own sums may step back by a tick, which is not a negative load.
    return min(max(busy / total * 100, 0.0), 100.0) if total > 0 else None


def uptime_seconds() -> float:
    """Seconds since the machine started, sleep included; where the system tells it, not moved by clock changes."""
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot_clock) if boot_clock is not None else time.time() - psutil.boot_time()


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted filesystem, sizes in bytes; None where it cannot be asked."""

    mount: str
    filesystem: str
    total: int | None = None
    used: int | None = None
    free: int | None = None

    @property
    def percent(self) -> float | None:
        """How full it is for a normal user: used of used and free, as df counts."""
        if self.used is None or self.free is None or not self.used + self.free:
            return None
        return self.used / (self.used + self.free) * 100


def read_disks(mounts: Sequence[str], skipped_filesystems: Sequence[str], skipped_mounts: Sequence[str]) -> list[Disk]:
    """Return these mounts, or every one that is not skipped; each device once, by its shortest path."""
    partitions = sorted(psutil.disk_partitions(all=True), key=lambda partition: (len(partition.mountpoint), partition))
    if mounts:
        types = {partition.mountpoint: partition.fstype for partition in partitions}
        return [_read_disk(mount, types.get(mount, "")) for mount in mounts]
    disks: dict[str, Disk] = {}
    for partition in partitions:
        mount, device = partition.mountpoint, partition.device
        # The root of a container lies on an overlay, which is worth showing there and nowhere else.
        root = mount == "/" and partition.fstype == "overlay"
        if device in disks or matches(mount, skipped_mounts):
            continue
        if root or not (matches(partition.fstype, skipped_filesystems) or not Path(mount).is_dir()):
            disks[device] = _read_disk(mount, partition.fstype)
    return sorted((disk for disk in disks.values() if disk.total != 0), key=lambda disk: disk.mount)


def _read_disk(mount: str, filesystem: str) -> Disk:
    try:
        usage = psutil.disk_usage(mount)
    except OSError:
        return Disk(mount, filesystem)
    return Disk(mount, filesystem, usage.total, usage.used, usage.free)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of these patterns (with * and ?)."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def read_interfaces(wanted: Sequence[str], skipped: Sequence[str]) -> dict[str, str]:
    """Names of the network interfaces to show, each with its first IPv4 or else IPv6 address, or nothing."""
    states, addresses = psutil.net_if_stats(), psutil.net_if_addrs()
    names = wanted or [name for name, state in states.items() if state.isup and not matches(name, skipped)]
    return {name: _address(addresses.get(name, [])) for name in sorted(names)}


def _address(addresses: Sequence[Any]) -> str:
    for family in (socket.AF_INET, socket.AF_INET6):
        for address in addresses:
            if address.family == family:
                return str(address.address)
    return ""


def read_temperatures() -> dict[str, float]:
    """Degrees Celsius by sensor; several sensors of one name are numbered."""
    found: dict[str, float] = {}
    for chip, sensors in sorted(psutil.sensors_temperatures().items()):
        for sensor in sensors:
            name = base = f"{chip} {sensor.label}".strip()
            number = 2
            while name in found:
                name, number = f"{base} {number}", number + 1
            found[name] = sensor.current
    return found


def top_processes(now: Counters, before: Counters, count: int) -> list[dict[str, Any]]:
    """Return the `count` processes that use most CPU and the `count` that use most memory, the busiest first.

    `cpu` is in percent of one core, as top shows it; `memory` in bytes that are in RAM.
    """
    seconds = now.at - before.at
    rows: list[dict[str, Any]] = []
    for process, spent in now.processes.items():
        earlier = before.processes.get(process)
        share = rate(spent, earlier, seconds) if earlier is not None else None
        try:
            with process.oneshot():
                rows.append(
                    {
                        "name": process.name(),
                        "pid": process.pid,
                        "cpu": None if share is None else share * 100,
                        "memory": process.memory_info().rss,
                    }
                )
        except psutil.Error:  # it ended, or is another user's on a system that hides those
            continue
    by_cpu = sorted(rows, key=lambda row: (row["cpu"] or 0.0, row["memory"]), reverse=True)[:count]
    by_memory = sorted(rows, key=lambda row: row["memory"], reverse=True)[:count]
    shown = {row["pid"]: row for row in (*by_cpu, *by_memory)}
    return sorted(shown.values(), key=lambda row: (row["cpu"] or 0.0, row["memory"]), reverse=True)

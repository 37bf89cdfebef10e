"""The host source."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psutil
from pydantic import Field, PrivateAttr

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.host import metrics as host_metrics
from app.bot.infrastructure.sources.host.samples import (
    Counters,
    Parts,
    read_disks,
    read_interfaces,
    read_temperatures,
    take_counters,
    top_processes,
    uptime_seconds,
)
from app.bot.infrastructure.threads import in_thread

_SHORTEST_SAMPLE_SECONDS = 0.25
"""Over less time than this a kernel's ticks of 10 ms make no usable percentage."""

PSEUDO_FILESYSTEMS = (
    *("autofs", "binfmt_misc", "bpf", "cgroup*", "configfs", "debugfs", "dev*", "efivarfs", "fuse.*", "fusectl"),
    *("hugetlbfs", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs"),
    *("squashfs", "sysfs", "tmpfs", "tracefs", "iso9660", "9p", "virtiofs", "nfs*", "cifs", "smb*", "afs", "ceph"),
)
VIRTUAL_INTERFACES = (
    *("lo", "lo0", "veth*", "docker*", "br-*", "virbr*", "vnet*", "tap*", "cni*", "flannel*", "cali*", "ifb*"),
    *("dummy*", "kube*", "lxc*", "fwbr*", "fwln*", "fwpr*", "awdl*", "llw*", "utun*", "gif*", "stf*", "anpi*"),
)


@source_types.register("host")
class Host(Source, title="Host"):
    """The machine that the bot runs on: processor, memory, disks, network, temperatures and processes.

    In a container this is what the container may see of its machine.
    """

    disks: tuple[str, ...] = Field((), description="Mount points to show, such as / and /srv; empty for all real ones")
    skip_filesystems: tuple[str, ...] = Field(
        PSEUDO_FILESYSTEMS,
        description="Kinds of filesystems left out of all (* and ? allowed). Network filesystems are among them, "
        "because a dead one makes everything wait; name one under disks to show it all the same",
    )
    skip_mounts: tuple[str, ...] = Field(
        ("/boot", "/boot/*", "/efi", "/snap/*", "/var/lib/docker/*", "/var/lib/containers/*", "/run/*"),
        description="Mount points left out of all (* and ? allowed)",
    )
    interfaces: tuple[str, ...] = Field((), description="Network interfaces to show; empty for all real ones")
    skip_interfaces: tuple[str, ...] = Field(
        VIRTUAL_INTERFACES, description="Interfaces left out of all (* and ? allowed)"
    )
    processes: int = Field(5, ge=0, le=50, description="How many top processes by CPU and by memory; 0 for none")

    _previous: Counters | None = PrivateAttr(None)
    _running: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    async def read(self, resources: Resources) -> Reading:
        """Everything this machine tells. Raises SourceFailedError while an earlier reading still hangs."""
        return await in_thread(self._read_alone, "host")

    def _read_alone(self) -> Reading:
        if not self._running.acquire(blocking=False):
            raise SourceFailedError("The previous reading still hangs; is a network filesystem dead?")
        try:
            return self._read()
        finally:
            self._running.release()

    def _read(self) -> Reading:
        parts = Parts()
        before = self._previous or take_counters(parts, with_processes=self.processes > 0)
        time.sleep(max(0.0, before.at + _SHORTEST_SAMPLE_SECONDS - time.perf_counter()))
        parts = Parts()
        now = self._previous = take_counters(parts, with_processes=self.processes > 0)
        disks = parts.read("disks", lambda: read_disks(self.disks, self.skip_filesystems, self.skip_mounts)) or []
        interfaces = parts.read("network", lambda: read_interfaces(self.interfaces, self.skip_interfaces)) or {}
        network = [host_metrics.Interface(name, address, now, before) for name, address in interfaces.items()]
        metrics = [
            *_processor(parts, now, before),
            *_memory(parts),
            *host_metrics.disk_metrics(disks, now, before),
            *host_metrics.network_metrics(network),
            *(parts.read("temperatures", lambda: list(_temperatures())) or ()),
            *(parts.read("uptime", lambda: [Metric("uptime", uptime_seconds(), "seconds")]) or ()),
            *(parts.read("processes", lambda: [Metric("process.count", float(len(psutil.pids())), "count")]) or ()),
        ]
        items: dict[str, list[dict[str, Any]]] = {
            "disks": [host_metrics.disk_row(disk) for disk in disks],
            "interfaces": [interface.row() for interface in network],
        }
        if self.processes:
            items["processes"] = parts.read("processes", lambda: top_processes(now, before, self.processes)) or []
        status = Status.DEGRADED if parts.failures else Status.UP
        return Reading(datetime.now(UTC), status, "; ".join(dict.fromkeys(parts.failures)), tuple(metrics), items)


def _processor(parts: Parts, now: Counters, before: Counters) -> Iterator[Metric]:
    yield from host_metrics.processor(now, before)
    for minutes, value in zip((1, 5, 15), parts.read("load", psutil.getloadavg) or (), strict=False):
        yield Metric(f"load.{minutes}", value)


def _memory(parts: Parts) -> Iterator[Metric]:
    memory = parts.read("memory", psutil.virtual_memory)
    if memory is not None:
        yield from host_metrics.memory(memory.total, memory.available)
    swap = parts.read("swap", psutil.swap_memory)
    if swap is not None:
        yield from host_metrics.swap(swap.total, swap.used)


def _temperatures() -> Iterator[Metric]:
    for sensor, celsius in read_temperatures().items():
        yield Metric("temperature", celsius, "celsius", {"sensor": sensor})

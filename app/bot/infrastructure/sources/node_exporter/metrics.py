"""node_exporter's metrics as what the host source knows: https://github.com/prometheus/node_exporter"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from app.bot.domain.readings.reading import Metric
from app.bot.infrastructure.sources.host import metrics as host_metrics
from app.bot.infrastructure.sources.host.samples import Counters, Disk, matches
from app.bot.infrastructure.sources.node_exporter.exposition import Sample

NAMES = frozenset(
    {
        "node_cpu_seconds_total",
        "node_load1",
        "node_load5",
        "node_load15",
        "node_memory_MemTotal_bytes",
        "node_memory_MemAvailable_bytes",
        "node_memory_SwapTotal_bytes",
        "node_memory_SwapFree_bytes",
        "node_filesystem_size_bytes",
        "node_filesystem_free_bytes",
        "node_filesystem_avail_bytes",
        "node_disk_read_bytes_total",
        "node_disk_written_bytes_total",
        "node_network_receive_bytes_total",
        "node_network_transmit_bytes_total",
        "node_hwmon_temp_celsius",
        "node_hwmon_chip_names",
        "node_hwmon_sensor_label",
        "node_thermal_zone_temp",
        "node_boot_time_seconds",
        "node_time_seconds",
        "node_processes_pids",
    }
)
_IDLE = ("idle", "iowait")
"""Waiting for a disk is not being busy. Guest time has a metric of its own and is in user time already."""
_VIRTUAL_DISKS = ("dm-*", "md*", "loop*", "ram*", "zram*", "sr*", "fd*", "zd*", "drbd*")
"""What lies on other disks, whose traffic would count twice."""


class Machine:
    """What one scrape tells of the machine."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._by_name: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            if sample.name in NAMES:
                self._by_name[sample.name].append(sample)

    @property
    def is_there(self) -> bool:
        """Whether a node_exporter answered, not another one."""
        return bool(self._by_name)

    def counters(self, at: float) -> Counters:
        """Return what becomes rates against an earlier scrape; `at` in seconds of a clock that never steps."""
        return Counters(at, self._cores(), self._network(), self._disk_bytes())

    def _cores(self) -> list[tuple[float, float]]:
        busy: dict[str, float] = defaultdict(float)
        total: dict[str, float] = defaultdict(float)
        for sample in self._by_name["node_cpu_seconds_total"]:
            core, mode, seconds = sample.labels.get("cpu", ""), sample.labels.get("mode", ""), sample.value or 0.0
            total[core] += seconds
            busy[core] += 0.0 if mode in _IDLE else seconds
        ordered = sorted(total, key=lambda core: (not core.isdecimal(), int(core) if core.isdecimal() else 0, core))
        return [(busy[core], total[core]) for core in ordered]

    def _network(self) -> dict[str, tuple[int, int]]:
        received = self._by("node_network_receive_bytes_total", "device")
        sent = self._by("node_network_transmit_bytes_total", "device")
        return {name: (int(received[name]), int(sent[name])) for name in received if name in sent}

    def _disk_bytes(self) -> tuple[int, int] | None:
        sums = []
        for name in ("node_disk_read_bytes_total", "node_disk_written_bytes_total"):
            devices = self._by(name, "device")
            if not devices:
                return None
            sums.append(int(sum(value for device, value in devices.items() if not matches(device, _VIRTUAL_DISKS))))
        return sums[0], sums[1]

    def disks(self, skipped_filesystems: Sequence[str], skipped_mounts: Sequence[str]) -> list[Disk]:
        """Return the filesystems that are not skipped; each device once, by its shortest path."""
        free = self._by("node_filesystem_free_bytes", "mountpoint")
        available = self._by("node_filesystem_avail_bytes", "mountpoint")
        found: dict[str, Disk] = {}
        sizes = self._by_name["node_filesystem_size_bytes"]
        for sample in sorted(sizes, key=lambda one: len(one.labels.get("mountpoint", ""))):
            mount, kind = sample.labels.get("mountpoint", ""), sample.labels.get("fstype", "")
            device = sample.labels.get("device", mount)
            if device in found or not sample.value or matches(mount, skipped_mounts):
                continue
            if not matches(kind, skipped_filesystems):
                unused, usable = free.get(mount), available.get(mount)
                used = None if unused is None else int(sample.value - unused)
                found[device] = Disk(mount, kind, int(sample.value), used, None if usable is None else int(usable))
        return sorted(found.values(), key=lambda disk: disk.mount)

    def interfaces(self, skipped: Sequence[str]) -> list[str]:
        """Return the network interfaces that are not skipped."""
        return sorted(name for name in self._network() if not matches(name, skipped))

    def gauges(self) -> Iterator[Metric]:
        """Load, memory, swap, uptime and the number of processes."""
        for minutes in (1, 5, 15):
            load = self._one(f"node_load{minutes}")
            if load is not None:
                yield Metric(f"load.{minutes}", load)
        total, available = self._one("node_memory_MemTotal_bytes"), self._one("node_memory_MemAvailable_bytes")
        if total is not None and available is not None:
            yield from host_metrics.memory(total, available)
        total, free = self._one("node_memory_SwapTotal_bytes"), self._one("node_memory_SwapFree_bytes")
        if total is not None and free is not None:
            yield from host_metrics.swap(total, total - free)
        started, now = self._one("node_boot_time_seconds"), self._one("node_time_seconds")
        if started is not None and now is not None:
            yield Metric("uptime", now - started, "seconds")
        processes = self._one("node_processes_pids")
        if processes is not None:
            yield Metric("process.count", processes, "count")

    def temperatures(self) -> Iterator[Metric]:
        """Degrees Celsius by sensor, named as the kernel names them; several sensors of one name are numbered."""
        chips = {
            sample.labels.get("chip"): sample.labels.get("chip_name", "")
            for sample in self._by_name["node_hwmon_chip_names"]
        }
        labels = {
            (sample.labels.get("chip"), sample.labels.get("sensor")): sample.labels.get("label", "")
            for sample in self._by_name["node_hwmon_sensor_label"]
        }
        seen: set[str] = set()
        for sample in self._by_name["node_hwmon_temp_celsius"] or self._by_name["node_thermal_zone_temp"]:
            chip = sample.labels.get("chip", sample.labels.get("type", ""))
            label = labels.get((chip, sample.labels.get("sensor")), "")
            name = base = f"{chips.get(chip) or chip} {label}".strip()
            number = 2
            while name in seen:
                name, number = f"{base} {number}", number + 1
            seen.add(name)
            yield Metric("temperature", sample.value, "celsius", {"sensor": name})

    def _one(self, name: str) -> float | None:
        samples = self._by_name[name]
        return samples[0].value if samples else None

    def _by(self, name: str, label: str) -> dict[str, float]:
        samples = self._by_name[name]
        return {sample.labels.get(label, ""): sample.value for sample in samples if sample.value is not None}

"""What a machine's counters are as metrics: the same names for the types host and node_exporter.

So a template such as server_card works with both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.bot.domain.readings.reading import Metric
from app.bot.infrastructure.sources.host.samples import Counters, Disk, busy_percent, rate


def processor(now: Counters, before: Counters) -> Iterator[Metric]:
    """How busy the processor and each of its cores was between two samples, and how many cores there are."""
    yield Metric("cpu.percent", busy_percent(now.cores, before.cores), "percent")
    yield Metric("cpu.count", float(len(now.cores)) if now.cores else None, "count")
    earlier = before.cores if len(before.cores) == len(now.cores) else now.cores
    for number, (core, core_before) in enumerate(zip(now.cores, earlier, strict=True)):
        yield Metric("cpu.core.percent", busy_percent([core], [core_before]), "percent", {"core": str(number)})


def memory(total: float, available: float) -> Iterator[Metric]:
    """Memory in bytes; what is available may be used without swapping."""
    used = total - available
    yield Metric("memory.percent", used / total * 100 if total else None, "percent")
    yield Metric("memory.used", float(used), "bytes")
    yield Metric("memory.available", float(available), "bytes")
    yield Metric("memory.total", float(total), "bytes")


def swap(total: float, used: float) -> Iterator[Metric]:
    """Swap in bytes."""
    yield Metric("swap.percent", used / total * 100 if total else None, "percent")
    yield Metric("swap.used", float(used), "bytes")
    yield Metric("swap.total", float(total), "bytes")


def disk_metrics(disks: Sequence[Disk], now: Counters, before: Counters) -> Iterator[Metric]:
    """How full each disk is, and bytes read and written each second over all of them."""
    for disk in disks:
        labels = {"mount": disk.mount}
        yield Metric("disk.percent", disk.percent, "percent", labels)
        for name, value in (("used", disk.used), ("free", disk.free), ("total", disk.total)):
            yield Metric(f"disk.{name}", None if value is None else float(value), "bytes", labels)
    if now.disk and before.disk:
        seconds = now.at - before.at
        yield Metric("disk.read", rate(now.disk[0], before.disk[0], seconds), "bytes/s")
        yield Metric("disk.write", rate(now.disk[1], before.disk[1], seconds), "bytes/s")


class Interface:
    """One network interface over the time between two samples; bytes, and bytes per second."""

    def __init__(self, name: str, address: str, now: Counters, before: Counters) -> None:
        self.name = name
        self.address = address
        latest, earlier = now.network.get(name), before.network.get(name)
        self.received = latest[0] if latest else None
        self.transmitted = latest[1] if latest else None
        self.receive: float | None = None
        self.transmit: float | None = None
        if latest is not None and earlier is not None:
            self.receive = rate(latest[0], earlier[0], now.at - before.at)
            self.transmit = rate(latest[1], earlier[1], now.at - before.at)

    def row(self) -> dict[str, Any]:
        """Return the interface in the table of them."""
        return {
            "interface": self.name,
            "address": self.address,
            "receive": self.receive,
            "transmit": self.transmit,
            "received": self.received,
            "transmitted": self.transmitted,
        }


def network_metrics(interfaces: Sequence[Interface]) -> Iterator[Metric]:
    """Yield sums without labels first, so that a reference without labels means all interfaces together."""
    units = {"receive": "bytes/s", "transmit": "bytes/s", "received": "bytes", "transmitted": "bytes"}
    for name, unit in units.items():
        values = [value for interface in interfaces if (value := getattr(interface, name)) is not None]
        yield Metric(f"network.{name}", float(sum(values)) if values else None, unit)
        for interface in interfaces:
            value = getattr(interface, name)
            labels = {"interface": interface.name}
            yield Metric(f"network.{name}", None if value is None else float(value), unit, labels)


def disk_row(disk: Disk) -> dict[str, Any]:
    """Return a disk in the table of them."""
    return {
        "mount": disk.mount,
        "filesystem": disk.filesystem,
        "total": disk.total,
        "used": disk.used,
        "free": disk.free,
        "percent": disk.percent,
    }

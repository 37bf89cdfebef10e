"""What containers use: samples of an engine's counters, and the rates between two of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.bot.domain.readings.items import value_at
from app.bot.infrastructure.sources.docker.errors import EngineError

if TYPE_CHECKING:
    from app.bot.infrastructure.sources.docker.engine import Engine

_AT_ONCE = 8
"""Samples asked for at the same time: more would make the engine busy with nothing else."""
_SAMPLE_SECONDS = 5.0
"""A container that does not tell within this time has no sample this time."""
_SHORTEST_SECONDS = 0.5
"""Over less time than this a rate means little."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A container's counters at a moment (`at`, of time.perf_counter), and its memory then. Bytes; CPU nanoseconds."""

    at: float
    cpu: float | None = None
    machine_cpu: float | None = None
    cores: float | None = None
    memory: float | None = None
    memory_limit: float | None = None
    received: float | None = None
    transmitted: float | None = None
    read: float | None = None
    written: float | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any], at: float) -> Sample:
        """From GET /containers/{id}/stats; what is missing or odd stays None."""
        cores = _number(found, "cpu_stats.online_cpus")
        each = value_at(found, "cpu_stats.cpu_usage.percpu_usage")
        networks = found.get("networks")
        interfaces = list(networks.values()) if isinstance(networks, Mapping) else []
        transfers = value_at(found, "blkio_stats.io_service_bytes_recursive")
        return cls(
            at=at,
            cpu=_number(found, "cpu_stats.cpu_usage.total_usage"),
            machine_cpu=_number(found, "cpu_stats.system_cpu_usage"),
            cores=cores or (float(len(each)) if isinstance(each, list) and each else None),
            memory=_memory(found),
            memory_limit=_number(found, "memory_stats.limit") or None,
            received=_sum(interfaces, "rx_bytes"),
            transmitted=_sum(interfaces, "tx_bytes"),
            read=_transferred(transfers, "read"),
            written=_transferred(transfers, "write"),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses. CPU in percent of one core, as `docker stats` shows it; bytes, and bytes per second."""

    cpu: float | None = None
    memory: float | None = None
    memory_limit: float | None = None
    memory_percent: float | None = None
    receive: float | None = None
    transmit: float | None = None
    read: float | None = None
    write: float | None = None

    @classmethod
    def between(cls, before: Sample | None, now: Sample) -> Usage:
        """From two samples; rates are None where there is but one, or a counter was set back."""
        share = now.memory / now.memory_limit * 100 if now.memory is not None and now.memory_limit else None
        level = {"memory": now.memory, "memory_limit": now.memory_limit, "memory_percent": share}
        if before is None or now.at <= before.at:
            return cls(**level)
        seconds = now.at - before.at
        return cls(
            cpu=_cpu_percent(before, now),
            receive=_rate(before.received, now.received, seconds),
            transmit=_rate(before.transmitted, now.transmitted, seconds),
            read=_rate(before.read, now.read, seconds),
            write=_rate(before.written, now.written, seconds),
            **level,
        )


class Usages:
    """The newest usage of each container, sampled again at most every that many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._samples: dict[str, Sample] = {}
        self._usages: dict[str, Usage] = {}
        self._sampled_once: set[str] = set()
        self.problem = ""
        """Why the last samples failed, if all of them did."""

    @property
    def lacks_rates(self) -> bool:
        """Whether a second sample would tell more soon."""
        return bool(self._sampled_once)

    async def read(self, engine: Engine, ids: Sequence[str]) -> Mapping[str, Usage]:
        """Return what the containers use; those that give no sample are missing."""
        self._forget_all_but(ids)
        now = time.perf_counter()
        due = [one for one in ids if self._is_due(one, now)]
        slots = asyncio.Semaphore(_AT_ONCE)
        failures = list(filter(None, await asyncio.gather(*(self._take(engine, one, slots) for one in due))))
        if due:
            self.problem = failures[0] if len(failures) == len(due) else ""
        return self._usages

    def _is_due(self, container: str, now: float) -> bool:
        sample = self._samples.get(container)
        wait = _SHORTEST_SECONDS if container in self._sampled_once else self._seconds
        return sample is None or now - sample.at >= wait

    async def _take(self, engine: Engine, container: str, slots: asyncio.Semaphore) -> str:
        """Take a sample; why there is none, empty where there is."""
        try:
            async with slots, asyncio.timeout(_SAMPLE_SECONDS):
                found = await engine.usage(container)
        except (EngineError, TimeoutError) as error:
            self._forget(container)
            return str(error) or "No answer in time"
        before, sample = self._samples.get(container), Sample.of(found, time.perf_counter())
        self._usages[container] = Usage.between(before, sample)
        self._samples[container] = sample
        (self._sampled_once.add if before is None else self._sampled_once.discard)(container)
        return ""

    def _forget_all_but(self, ids: Iterable[str]) -> None:
        for gone in self._samples.keys() - set(ids):
            self._forget(gone)

    def _forget(self, container: str) -> None:
        self._samples.pop(container, None)
        self._usages.pop(container, None)
        self._sampled_once.discard(container)


def _cpu_percent(before: Sample, now: Sample) -> float | None:
    """Docker's own formula (docker/cli, calculateCPUPercentUnix): the share of the machine's time, times its cores."""
    used, passed = _grown(before.cpu, now.cpu), _grown(before.machine_cpu, now.machine_cpu)
    if used is None:
        return None
    if passed:
        return used / passed * (now.cores or 1.0) * 100
    return used / ((now.at - before.at) * 1e9) * 100  # engines that do not tell the machine's time


def _memory(found: Mapping[str, Any]) -> float | None:
    """Return used memory without the page cache that can be given back (docker/cli, calculateMemUsageUnixNoCache)."""
    used = _number(found, "memory_stats.usage")
    if used is None:
        return None
    cache = _number(found, "memory_stats.stats.total_inactive_file")
    if cache is None:
        cache = _number(found, "memory_stats.stats.inactive_file")
    return used - cache if cache is not None and cache < used else used


def _rate(before: float | None, now: float | None, seconds: float) -> float | None:
    grown = _grown(before, now)
    return None if grown is None else grown / seconds


def _grown(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None or now < before else now - before


def _sum(parts: Sequence[Any], name: str) -> float | None:
    values = [value for part in parts if isinstance(part, Mapping) and (value := _number(part, name)) is not None]
    return sum(values) if values else None


def _transferred(parts: Any, kind: str) -> float | None:
    if not isinstance(parts, list):
        return None
    fitting = [one for one in parts if isinstance(one, Mapping) and str(one.get("op")).casefold() == kind]
    return _sum(fitting, "value") or 0.0


def _number(found: Mapping[str, Any], path: str) -> float | None:
    value = value_at(found, path)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

"""The docker source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from app.bot.domain.readings.discovery import DISCOVERED
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.infrastructure.sources.base import Resources, Source, source_types
from app.bot.infrastructure.sources.docker.access import EngineAccess, EngineLink
from app.bot.infrastructure.sources.docker.containers import Choice, Container, in_order
from app.bot.infrastructure.sources.docker.errors import EngineError, EngineRefusedError
from app.bot.infrastructure.sources.docker.events import EventFeed
from app.bot.infrastructure.sources.docker.inspections import Inspections, RestartCounts
from app.bot.infrastructure.sources.docker.logs import log_lines
from app.bot.infrastructure.sources.docker.usage import Usage, Usages

if TYPE_CHECKING:
    from app.bot.infrastructure.sources.docker.engine import Engine

_POLL_SECONDS = 0.5
"""Between two polls that events ask for: a container that restarts all the time must not keep the engine busy."""
_NAMED = 3
"""Containers that a message names; the others are counted."""


class LogWish(BaseModel):
    """A container whose log is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    container: str = Field(min_length=1, max_length=255, description="The container's name")
    lines: int = Field(20, ge=1, le=200, description="How many of the last lines")

    @property
    def table(self) -> str:
        """Name of the table with the lines."""
        return f"log.{self.container}"


@source_types.register("docker")
class Docker(EngineAccess, Source, title="Docker"):
    """An engine of Docker or Podman: its containers with state, health and what they use, its events, and logs.

    Changes are seen the moment they happen. Containers with a label homelab.dashboard add themselves to that dashboard.
    """

    include: tuple[str, ...] = Field((), description="Containers to show, by name (* and ? allowed); empty for all")
    exclude: tuple[str, ...] = Field((), description="Containers left out, by name (* and ? allowed)")
    labels: tuple[str, ...] = Field(
        (), description="Show only containers with all of these labels: name, or name=value"
    )
    stats: bool = Field(True, description="Also read what each container uses: CPU, memory, network and disks")
    stats_seconds: float = Field(
        10.0, ge=1, le=3_600, description="Seconds in which what a container uses is read at most once"
    )
    restart_minutes: float = Field(
        10.0, gt=0, le=1_440, description="A container that the engine restarted within so many minutes is in trouble"
    )
    logs: tuple[LogWish, ...] = Field(
        (), max_length=20, description="Containers whose last log lines to read, each into a table log.<container>"
    )

    _watch: _Watch | None = PrivateAttr(None)
    _read_at: float = PrivateAttr(0.0)
    _asking: asyncio.TimerHandle | None = PrivateAttr(None)

    async def read(self, resources: Resources) -> Reading:
        """Return what the engine tells now. Raises EngineError, or what opening the engine raises."""
        self._asked()
        self._read_at = asyncio.get_running_loop().time()
        watch = self._watch = self._watch or self._start(resources)
        engine = await watch.link.engine()
        try:
            reading = await self._read(engine, watch)
        except EngineRefusedError:
            raise
        except EngineError:
            await watch.link.drop(engine)
            raise
        watch.feed.start()
        if self.stats and watch.usages.lacks_rates:
            self._ask_for_poll(resources.poll_soon)
        return reading

    async def close(self) -> None:
        """Stop listening, and let go of the engine."""
        self._asked()
        if self._watch is not None:
            await self._watch.feed.close()
            await self._watch.link.close()

    def _start(self, resources: Resources) -> _Watch:
        link = EngineLink(self, resources.secrets)
        feed = EventFeed(link, self.choice, lambda: self._ask_for_poll(resources.poll_soon))
        restarts = RestartCounts(self.restart_minutes * 60)
        return _Watch(link, feed, Inspections(feed), restarts, Usages(self.stats_seconds))

    @property
    def choice(self) -> Choice:
        """Which containers are shown."""
        return Choice(self.include, self.exclude, self.labels)

    def _ask_for_poll(self, poll_soon: Callable[[], None]) -> None:
        """Ask once until the next reading, a moment after the last one: events mostly come in crowds."""
        if self._asking is None:
            loop = asyncio.get_running_loop()
            self._asking = loop.call_at(max(loop.time(), self._read_at + _POLL_SECONDS), poll_soon)

    def _asked(self) -> None:
        """Whatever was to be asked for is done now, or no one wants it any more."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def _read(self, engine: Engine, watch: _Watch) -> Reading:
        found, info = await engine.containers(), await _info(engine)
        listed = [one for one in map(Container.of, found) if self.choice.wants(one.name, one.labels)]
        shown = [one for one in listed if not one.is_hidden]
        containers = in_order(await watch.inspections.of(engine, shown))
        running = [one.id for one in containers if one.is_running]
        usages = await watch.usages.read(engine, running) if self.stats else {}
        logs, missing = await self._logs(engine)
        now = datetime.now(UTC)
        troubles = [
            *_health_troubles(containers),
            *_said(watch.restarts.growing(containers), "restarts again and again", "restart again and again"),
            *([f"The statistics cannot be read: {watch.usages.problem}"] if watch.usages.problem else ()),
            *missing,
        ]
        items: dict[str, list[dict[str, Any]]] = {
            "containers": [{**one.row(now), **_usage_columns(usages.get(one.id, Usage()))} for one in containers],
            "engine": [_engine_row(info)],
            "events": watch.feed.rows(),
            DISCOVERED: [row for one in containers for row in one.discovered_rows()],
            **logs,
        }
        metrics = (*_counts(containers, info), *_container_metrics(containers, usages, now))
        status = Status.DEGRADED if troubles else Status.UP
        return Reading(now, status, "; ".join(troubles), metrics, items)

    async def _logs(self, engine: Engine) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
        """Return the tables of log lines, and what is to be said of those that cannot be read."""
        answers = await asyncio.gather(
            *(engine.logs(wish.container, wish.lines) for wish in self.logs), return_exceptions=True
        )
        tables: dict[str, list[dict[str, Any]]] = {}
        missing: list[str] = []
        for wish, answer in zip(self.logs, answers, strict=True):
            if isinstance(answer, EngineError):
                missing.append(f"The log of {wish.container} cannot be read: {answer}")
            elif isinstance(answer, BaseException):
                raise answer
            tables[wish.table] = log_lines(answer)[-wish.lines :] if isinstance(answer, bytes) else []
        return tables, missing


@dataclass(frozen=True, slots=True)
class _Watch:
    """What a source holds from its first reading to its end."""

    link: EngineLink
    feed: EventFeed
    inspections: Inspections
    restarts: RestartCounts
    usages: Usages


async def _info(engine: Engine) -> Mapping[str, Any]:
    """Return what the engine says of itself; nothing where a proxy keeps that to itself."""
    try:
        return await engine.info()
    except EngineRefusedError:
        return {}


def _health_troubles(containers: Sequence[Container]) -> list[str]:
    return _said([one.name for one in containers if one.status == "unhealthy"], "is unhealthy", "are unhealthy")


def _said(names: Sequence[str], one: str, several: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{', '.join(names[:_NAMED])}{more} {one if len(names) == 1 else several}"]


def _engine_row(info: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": info.get("Name"),
        "version": info.get("ServerVersion"),
        "system": info.get("OperatingSystem"),
        "kernel": info.get("KernelVersion"),
        "architecture": info.get("Architecture"),
        "cpus": info.get("NCPU"),
        "memory": info.get("MemTotal"),
    }


def _counts(containers: Sequence[Container], info: Mapping[str, Any]) -> Iterator[Metric]:
    states = [one.state for one in containers]
    moving = {state: states.count(state) for state in ("running", "paused", "restarting")}
    for state, count in moving.items():
        yield Metric(f"containers.{state}", float(count), "count")
    yield Metric("containers.stopped", float(len(states) - sum(moving.values())), "count")
    yield Metric("containers.total", float(len(states)), "count")
    yield Metric("containers.unhealthy", float([one.status for one in containers].count("unhealthy")), "count")
    images = info.get("Images")
    yield Metric("images.count", float(images) if isinstance(images, int) else None, "count")
    yield Metric("engine.info", 1.0, "", {"version": str(info.get("ServerVersion") or "")})


def _container_metrics(containers: Sequence[Container], usages: Mapping[str, Usage], now: datetime) -> Iterator[Metric]:
    for one in containers:
        labels = {"container": one.name}
        restarts = one.details.restarts
        yield Metric("uptime", one.uptime(now), "seconds", labels)
        yield Metric("restarts", None if restarts is None else float(restarts), "count", labels, MetricKind.COUNTER)
        usage = usages.get(one.id)
        if usage is None:
            continue
        yield Metric("cpu.percent", usage.cpu, "percent", labels)
        yield Metric("memory.used", usage.memory, "bytes", labels)
        yield Metric("memory.limit", usage.memory_limit, "bytes", labels)
        yield Metric("memory.percent", usage.memory_percent, "percent", labels)
        yield Metric("network.receive", usage.receive, "bytes/s", labels)
        yield Metric("network.transmit", usage.transmit, "bytes/s", labels)
        yield Metric("disk.read", usage.read, "bytes/s", labels)
        yield Metric("disk.write", usage.write, "bytes/s", labels)


def _usage_columns(usage: Usage) -> dict[str, float | None]:
    return {
        "cpu": usage.cpu,
        "memory": usage.memory,
        "memory_limit": usage.memory_limit,
        "memory_percent": usage.memory_percent,
        "receive": usage.receive,
        "transmit": usage.transmit,
        "read": usage.read,
        "write": usage.write,
    }

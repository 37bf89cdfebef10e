"""The node_exporter source."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.network.http_requests import Answer, send
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, source_types
from app.bot.infrastructure.sources.host import metrics as host_metrics
from app.bot.infrastructure.sources.host.samples import Counters
from app.bot.infrastructure.sources.host.source import PSEUDO_FILESYSTEMS, VIRTUAL_INTERFACES
from app.bot.infrastructure.sources.http_request import HttpSource
from app.bot.infrastructure.sources.node_exporter import exposition
from app.bot.infrastructure.sources.node_exporter import metrics as node_metrics
from app.bot.infrastructure.sources.node_exporter.exposition import Sample
from app.bot.infrastructure.threads import in_thread

_MEBIBYTES = 10
_PROBLEMS_SHOWN = 3


class SampleMapping(BaseModel):
    """Which metrics of the exporter to take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str = Field(min_length=1, max_length=200, description="Names to take, such as nginx_connections_*")
    labels: dict[str, str] = Field(
        default_factory=dict, description="Only with these labels; * and ? are allowed in their values"
    )
    name: str | None = Field(None, min_length=1, max_length=100, description="Another name; the exporter's without it")
    unit: str | None = Field(None, max_length=30, description="Unit; taken from the end of the name without it")
    scale: float = Field(1.0, description="Values are multiplied by this")

    def fits(self, sample: Sample) -> bool:
        """Whether this sample is wanted."""
        return fnmatchcase(sample.name, self.pattern) and all(
            fnmatchcase(sample.labels.get(label, ""), wanted) for label, wanted in self.labels.items()
        )

    def metric(self, sample: Sample) -> Metric:
        """Return the sample as a metric."""
        value = None if sample.value is None else sample.value * self.scale
        unit = sample.unit if self.unit is None else self.unit
        kind = MetricKind.COUNTER if sample.counter else MetricKind.GAUGE
        return Metric(self.name or sample.name, value, unit, sample.labels, kind)


@source_types.register("node_exporter")
class NodeExporter(HttpSource, title="Node exporter"):
    """A machine by its node_exporter, or any other exporter that speaks Prometheus' text format.

    What node_exporter tells becomes the metrics that the type host has, with the same names: cpu.percent, load.1,
    memory.percent, swap.percent, disk.percent, disk.read, network.receive, temperature, uptime and so on, and the
    tables disks and interfaces. Rates and cpu.percent are there from the second reading on.
    `metrics` takes others by their names. Counters stay counters. Table: samples, which are those taken by `metrics`.
    """

    metrics: tuple[SampleMapping, ...] = Field((), max_length=100, description="Further metrics to take by their names")
    machine: bool = Field(True, description="Make the metrics of the type host of what node_exporter tells")
    skip_filesystems: tuple[str, ...] = Field(
        PSEUDO_FILESYSTEMS, description="Kinds of filesystems left out (* and ? allowed)"
    )
    skip_mounts: tuple[str, ...] = Field(
        ("/boot", "/boot/*", "/efi", "/snap/*", "/var/lib/docker/*", "/var/lib/containers/*", "/run/*"),
        description="Mount points left out (* and ? allowed)",
    )
    skip_interfaces: tuple[str, ...] = Field(VIRTUAL_INTERFACES, description="Interfaces left out (* and ? allowed)")
    max_samples: int = Field(500, ge=1, le=MAX_ITEMS, description="Samples taken by `metrics`, the first ones")

    _previous: Counters | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _check_wanted(self) -> NodeExporter:
        if not self.machine and not self.metrics:
            raise ValueError("metrics: enter at least one, or turn `machine` on")
        return self

    async def read(self, resources: Resources) -> Reading:
        """Scrape once. Raises SourceFailedError or RequestFailedError when there are no metrics."""
        secrets = SecretUse(resources.secrets)
        request = await self.request("GET", secrets, {"Accept": "text/plain;version=0.0.4"}, address=self._address())
        async with send(resources.session, request) as answer:
            content = await _content(answer)
            at = time.perf_counter()
        # Off the event loop: an exporter of a large machine tells megabytes.
        return await in_thread(lambda: self._reading(content, at, secrets), "node-exporter")

    def _address(self) -> str:
        """Where the metrics are, also of an address that names only the server."""
        base, mark, parameters = self.url.partition("?")
        if base.count("/") < 3 or base.endswith("/"):
            base = f"{base.rstrip('/')}/metrics"
        return f"{base}{mark}{parameters}"

    def _reading(self, content: bytes, at: float, secrets: SecretUse) -> Reading:
        document = secrets.hide(content.decode(errors="replace"))
        samples = exposition.parse(document, self._wanted)
        metrics: list[Metric] = []
        tables: dict[str, list[dict[str, Any]]] = {}
        problems: list[str] = []
        if self.machine:
            self._add_machine(node_metrics.Machine(samples), at, metrics, tables)
        if self.metrics:
            taken = [(sample, mapping) for sample in samples if (mapping := self._mapping(sample)) is not None]
            if len(taken) > self.max_samples:
                problems.append(f"{len(taken)} samples fit, of which the first {self.max_samples} are kept")
            taken = taken[: self.max_samples]
            metrics.extend(mapping.metric(sample) for sample, mapping in taken)
            tables["samples"] = [{**sample.labels, "name": sample.name, "value": sample.value} for sample, _ in taken]
            found = {mapping.pattern for _, mapping in taken}
            missing = [mapping for mapping in self.metrics if mapping.pattern not in found]
            metrics.extend(Metric(each.name or each.pattern, None, each.unit or "") for each in missing)
            problems.extend(f"There is no “{each.pattern}”" for each in missing[:_PROBLEMS_SHOWN])
        elif not metrics:
            problems.append("These are not node_exporter's metrics: say under `metrics` which to take")
        status = Status.DEGRADED if problems else Status.UP
        return Reading(datetime.now(UTC), status, "; ".join(problems), tuple(metrics), tables)

    def _add_machine(
        self, machine: node_metrics.Machine, at: float, metrics: list[Metric], tables: dict[str, list[dict[str, Any]]]
    ) -> None:
        if not machine.is_there:
            return
        now = machine.counters(at)
        before, self._previous = self._previous or Counters(at), now
        disks = machine.disks(self.skip_filesystems, self.skip_mounts)
        names = machine.interfaces(self.skip_interfaces)
        network = [host_metrics.Interface(name, "", now, before) for name in names]
        metrics += host_metrics.processor(now, before)
        metrics += machine.gauges()
        metrics += host_metrics.disk_metrics(disks, now, before)
        metrics += host_metrics.network_metrics(network)
        metrics += machine.temperatures()
        tables["disks"] = [host_metrics.disk_row(disk) for disk in disks][:MAX_ITEMS]
        tables["interfaces"] = [interface.row() for interface in network][:MAX_ITEMS]

    def _wanted(self, name: str) -> bool:
        if self.machine and name in node_metrics.NAMES:
            return True
        return any(fnmatchcase(name, mapping.pattern) for mapping in self.metrics)

    def _mapping(self, sample: Sample) -> SampleMapping | None:
        return next((mapping for mapping in self.metrics if mapping.fits(sample)), None)


async def _content(answer: Answer) -> bytes:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise SourceFailedError(f"Answered {answer.status_text}")
    content, complete = await answer.read(_MEBIBYTES * 1024 * 1024)
    if not complete:
        raise SourceFailedError(f"The answer is larger than {_MEBIBYTES} MiB")
    return content

"""Declared data source types of the catalog, against the real services. `make test-services` installs those.

docs/integrations.md says of a type that it is tested against the real service when there is a test here that is named
after it: test_NAME.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from app.bot.domain.readings import Metric, Reading, Status
from tests.catalog.test_integrations import definition_of, read
from tests.services import Service
from tests.waiting import until

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

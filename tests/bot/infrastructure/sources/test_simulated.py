from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from app.bot.domain.readings.reading import Status
from app.bot.infrastructure.sources.simulated import Simulated, SimulatedMetric

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LOAD = {"name": "load", "unit": "percent", "middle": 50, "swing": 30, "noise": 10, "maximum": 75}


async def test_a_reading_is_that_of_now(read: Any) -> None:
    reading = await read("simulated", metrics=[LOAD], items={"disks": [{"name": "sda"}]})
    (metric,) = reading.metrics
    assert (metric.name, metric.unit) == ("load", "percent")
    assert 10 <= metric.value <= 75
    assert reading.items["disks"] == ({"name": "sda"},)


def test_the_clock_alone_decides() -> None:
    one, other = (Simulated.model_validate({"metrics": [LOAD]}) for _ in range(2))
    assert one.at(NOON) == other.at(NOON)
    assert one.at(NOON) != one.at(NOON + timedelta(minutes=3))


def test_it_moves_smoothly_within_its_bounds() -> None:
    metric = SimulatedMetric.model_validate(LOAD)
    values = [metric.value_at(NOON.timestamp() + second) for second in range(0, 86_400, 30)]
    assert min(values) >= 10
    assert max(values) == 75
    assert min(values) < 35
    assert max(abs(left - right) for left, right in pairwise(values)) < 5


def test_labels_have_curves_of_their_own() -> None:
    values = {SimulatedMetric(name="a", labels={"core": str(core)}).value_at(NOON.timestamp()) for core in range(8)}
    assert len(values) == 8


def test_outages_have_their_share_of_the_time() -> None:
    source = Simulated.model_validate({"metrics": [LOAD], "outages": 0.1})
    statuses = [source.at(NOON + timedelta(hours=hour)).status for hour in range(1_000)]
    assert 50 < statuses.count(Status.DOWN) < 200
    assert Simulated.model_validate({"metrics": [LOAD]}).at(NOON).status is Status.UP

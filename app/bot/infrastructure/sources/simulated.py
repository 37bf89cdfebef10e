"""The simulated source: numbers that move as a lab's do, from the clock alone."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading, Status
from app.bot.infrastructure.sources.base import Resources, Source, source_types

_OUTAGE_SECONDS = 1_800
"""An outage lasts whole half hours, so that it is seen on a bar of a day."""
_NOISE_SECONDS = 240
"""From one random point to the next; between them the curve is smooth."""


class SimulatedMetric(BaseModel):
    """A number that swings around its middle, with some noise."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=100, description="Name of the metric")
    unit: str = Field("", max_length=20, description="Unit, such as percent, bytes or celsius")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that tell metrics of one name apart")
    middle: float = Field(50, ge=-1e15, le=1e15, description="The value it swings around")
    swing: float = Field(20, ge=0, le=1e15, description="How far it swings to each side over a period")
    noise: float = Field(5, ge=0, le=1e15, description="How far it jitters to each side")
    period_seconds: float = Field(86_400, ge=60, le=31_536_000, description="Seconds of one swing: 86400 is a day")
    minimum: float = Field(0, ge=-1e15, le=1e15, description="It never falls below")
    maximum: float = Field(1e15, ge=-1e15, le=1e15, description="It never rises above")

    def value_at(self, seconds: float) -> float:
        """Return the value at a time in seconds since 1970: the same for everyone who asks."""
        seed = f"{self.name}{sorted(self.labels.items())}"
        phase = _random(seed, 0) * 2 * math.pi
        swing = self.swing * math.sin(2 * math.pi * seconds / self.period_seconds + phase)
        step, part = divmod(seconds, _NOISE_SECONDS)
        part = (1 - math.cos(math.pi * part / _NOISE_SECONDS)) / 2
        noise = _random(seed, step) * (1 - part) + _random(seed, step + 1) * part
        value = self.middle + swing + self.noise * (2 * noise - 1)
        return round(min(max(value, self.minimum), self.maximum), 3)


@source_types.register("simulated")
class Simulated(Source, title="Simulated"):
    """Numbers that move by themselves, for trying out dashboards and charts.

    They follow from the clock alone, so they are the same after a restart. Tables stay as written in the config.
    """

    metrics: tuple[SimulatedMetric, ...] = Field((), max_length=200, description="The numbers")
    items: dict[str, tuple[dict[str, Any], ...]] = Field(
        default_factory=dict, description="Tables by name: a list of rows, each with its values by column"
    )
    outages: float = Field(0, ge=0, le=1, description="The part of the time in which it is down, such as 0.01")

    def at(self, moment: datetime) -> Reading:
        """Return the reading of a moment, past or present."""
        seconds = moment.timestamp()
        if _random(f"outage{self.metrics}", seconds // _OUTAGE_SECONDS) < self.outages:
            return Reading(moment, Status.DOWN, "Simulated outage")
        values = tuple(
            Metric(metric.name, metric.value_at(seconds), metric.unit, metric.labels) for metric in self.metrics
        )
        return Reading(moment, metrics=values, items={name: rows[:MAX_ITEMS] for name, rows in self.items.items()})

    async def read(self, resources: Resources) -> Reading:
        """Return the reading of now."""
        return self.at(datetime.now(UTC))


def _random(seed: str, step: float) -> float:
    """Return a number from 0 to 1 that looks random and is always the same for a seed and a step."""
    digest = hashlib.blake2b(f"{seed}/{int(step)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64

"""The static source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.sources.base import Resources, Source, source_types


class StaticMetric(BaseModel):
    """A number that is always the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Name of the metric")
    value: float | None = Field(None, description="The number; empty for a missing one")
    unit: str = Field("", description="Unit, such as percent, bytes or seconds")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that tell metrics of one name apart")
    kind: MetricKind = Field(MetricKind.GAUGE, description="gauge goes up and down; counter only grows")


@source_types.register("static")
class Static(Source, title="Static"):
    """Fixed numbers and tables, written in the config.

    For trying out a dashboard, and for facts that nothing measures.
    """

    metrics: tuple[StaticMetric, ...] = Field((), description="The numbers")
    items: dict[str, tuple[dict[str, Any], ...]] = Field(
        default_factory=dict, description="Tables by name: a list of rows, each with its values by column"
    )
    status: Status = Field(Status.UP, description="up, unknown, degraded or down")
    message: str = Field("", max_length=500, description="What the status means")

    async def read(self, resources: Resources) -> Reading:
        """Return the config as a reading."""
        return Reading(
            datetime.now(UTC),
            self.status,
            self.message,
            tuple(
                Metric(metric.name, metric.value, metric.unit, metric.labels, metric.kind) for metric in self.metrics
            ),
            {name: rows[:MAX_ITEMS] for name, rows in self.items.items()},
        )

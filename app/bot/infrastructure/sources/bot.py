"""The source of the bot's own statistics."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import psutil
from pydantic import PrivateAttr

from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.readings.reading import Metric, MetricKind, Reading
from app.bot.infrastructure.sources.base import Resources, Source, source_types

_RATES = ("edits", "polls")


@source_types.register("bot")
class Bot(Source, title="Bot"):
    """The bot itself: what it sends to Discord, how it polls, and what it needs of the machine.

    Totals count from the start of the process.
    """

    _process: psutil.Process = PrivateAttr(default_factory=psutil.Process)
    _previous: tuple[float, dict[str, int]] | None = PrivateAttr(None)

    async def read(self, resources: Resources) -> Reading:
        """Counters, their rates per minute since the previous reading, and current values."""
        statistics = resources.statistics
        now = datetime.now(UTC)
        metrics = [
            Metric("uptime", (now - statistics.started_at).total_seconds(), "seconds"),
            Metric("memory", float(self._process.memory_info().rss), "bytes"),
            Metric("cpu.percent", self._cpu_percent(), "percent"),
            Metric("tasks", float(len(asyncio.all_tasks())), "count"),
            *(
                Metric(name, float(value), "count", kind=MetricKind.COUNTER)
                for name, value in statistics.counters().items()
            ),
            *(Metric(name, value, unit) for name, (value, unit) in statistics.gauges().items()),
            *self._rates(statistics),
        ]
        return Reading(now, metrics=tuple(metrics))

    def _cpu_percent(self) -> float | None:
        """Of one core, from one call to the next: the first call has no beginning and so no value."""
        percent = self._process.cpu_percent()
        return percent if self._previous is not None else None

    def _rates(self, statistics: Statistics) -> list[Metric]:
        now, totals = time.perf_counter(), statistics.counters()
        previous, self._previous = self._previous, (now, totals)
        if previous is None or now <= previous[0]:
            return [Metric(f"{name}.rate", None, "/min") for name in _RATES]
        minutes = (now - previous[0]) / 60
        return [Metric(f"{name}.rate", (totals[name] - previous[1][name]) / minutes, "/min") for name in _RATES]

from __future__ import annotations

from app.bot.domain.readings.reading import Metric, Reading
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources


def value(reading: Reading, name: str) -> float | None:
    metric = reading.metric(name)
    assert metric is not None, name
    return metric.value


async def test_counters_current_values_and_needs_of_the_process(resources: Resources) -> None:
    resources.statistics.edits = 7
    resources.statistics.rate_limited = 1
    resources.statistics.watch("latency", lambda: 0.05, "seconds")
    resources.statistics.watch("guilds", lambda: None)
    reading = await open_reader(DataSource(1, "bot", "bot"), resources).read()
    assert (value(reading, "edits"), value(reading, "rate_limited"), value(reading, "clicks")) == (7, 1, 0)
    assert reading.metric("latency") == Metric("latency", 0.05, "seconds")
    assert value(reading, "guilds") is None
    assert (value(reading, "memory") or 0) > 1_000_000
    assert (value(reading, "uptime") or 0) > 0


async def test_rates_begin_with_the_second_reading(resources: Resources) -> None:
    reader = open_reader(DataSource(1, "bot", "bot"), resources)
    first = await reader.read()
    resources.statistics.edits += 3
    second = await reader.read()
    assert value(first, "edits.rate") is None
    assert value(first, "cpu.percent") is None
    assert (value(second, "edits.rate") or 0) > 0
    assert value(second, "polls.rate") == 0
    assert value(second, "cpu.percent") is not None

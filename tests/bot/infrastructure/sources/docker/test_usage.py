"""What is made of an engine's counters, in the shapes that Docker documents (GET /containers/{id}/stats)."""

from __future__ import annotations

from typing import Any, cast

import pytest

from app.bot.infrastructure.sources.docker.errors import EngineError
from app.bot.infrastructure.sources.docker.usage import Sample, Usage, Usages


def stats(cpu: int, machine: int, received: int = 0, read: int = 0) -> dict[str, Any]:
    return {
        "cpu_stats": {"cpu_usage": {"total_usage": cpu}, "system_cpu_usage": machine, "online_cpus": 4},
        "memory_stats": {"usage": 150 * 2**20, "limit": 2**30, "stats": {"inactive_file": 50 * 2**20}},
        "networks": {"eth0": {"rx_bytes": received, "tx_bytes": 0}, "eth1": {"rx_bytes": received, "tx_bytes": 7}},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 8, "minor": 0, "op": "Read", "value": read},
                {"major": 8, "minor": 16, "op": "read", "value": read},
                {"major": 8, "minor": 0, "op": "write", "value": 5},
            ]
        },
    }


def test_the_first_sample_tells_memory_and_no_rates() -> None:
    usage = Usage.between(None, Sample.of(stats(1, 1), 10.0))
    assert usage == Usage(memory=100 * 2**20, memory_limit=2**30, memory_percent=pytest.approx(100 / 1024 * 100))


def test_rates_are_those_of_docker_stats() -> None:
    before = Sample.of(stats(1_000_000_000, 100_000_000_000, 1_000, 4_096), 10.0)
    now = Sample.of(stats(2_000_000_000, 108_000_000_000, 6_000, 8_192), 12.0)
    usage = Usage.between(before, now)
    assert usage.cpu == 50.0  # an eighth of the machine's time, which has four cores
    assert (usage.receive, usage.transmit, usage.read, usage.write) == (5_000.0, 0.0, 4_096.0, 0.0)


def test_counters_that_were_set_back_give_no_rate() -> None:
    before, now = Sample.of(stats(9, 9, 9, 9), 10.0), Sample.of(stats(1, 10, 1, 1), 11.0)
    usage = Usage.between(before, now)
    assert (usage.cpu, usage.receive, usage.read) == (None, None, None)


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"cpu_stats": None, "memory_stats": None, "networks": None, "blkio_stats": None},
        {"cpu_stats": [], "memory_stats": {"usage": "much", "limit": 0}, "networks": [1], "blkio_stats": {}},
        {"networks": {"eth0": None}, "blkio_stats": {"io_service_bytes_recursive": [None, {}, 5]}},
    ],
)
def test_odd_answers_are_missing_values(found: dict[str, Any]) -> None:
    usage = Usage.between(Sample.of(found, 1.0), Sample.of(found, 2.0))
    assert (usage.cpu, usage.memory, usage.memory_percent, usage.receive) == (None, None, None, None)


class Engine:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing: set[str] = set()

    async def usage(self, container: str) -> dict[str, Any]:
        self.asked.append(container)
        if container in self.failing:
            raise EngineError("gone")
        return stats(len(self.asked), len(self.asked))


async def test_what_was_read_a_moment_ago_is_not_read_again() -> None:
    engine, usages = Engine(), Usages(3_600)
    await usages.read(cast("Any", engine), ["web", "db"])
    assert usages.lacks_rates
    found = await usages.read(cast("Any", engine), ["web", "new"])
    assert engine.asked == ["web", "db", "new"]
    assert set(found) == {"web", "new"}


async def test_one_that_fails_is_missing_and_all_that_fail_are_told() -> None:
    engine, usages = Engine(), Usages(1)
    engine.failing = {"web"}
    assert set(await usages.read(cast("Any", engine), ["web", "db"])) == {"db"}
    assert usages.problem == ""
    engine.failing = {"web", "db"}
    assert not await Usages(1).read(cast("Any", engine), [])
    alone = Usages(1)
    await alone.read(cast("Any", engine), ["web", "db"])
    assert alone.problem == "gone"

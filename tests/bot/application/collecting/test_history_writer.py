"""The history service: what it writes, and what becomes of it while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.bot.application.collecting import history_writer as module
from app.bot.application.collecting.history_writer import HistoryConfig, HistoryWriter, retention_of
from app.bot.application.rendering.history_store import HistoryFailedError, HistoryStore
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.errors import HomelabError, MissingTableError, StorageUnavailableError
from app.bot.domain.readings.history import History, HistoryQuery, Retention, Sample, SeriesHistory
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.domain.readings.source import DataSource
from tests.support.in_memory import InMemoryDashboards, definitions_of
from tests.support.waiting import until

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOURCE = DataSource(3, "nas", "static")
QUERY = HistoryQuery("nas", "load", step_seconds=60)


class Repository:
    """History in memory, which can be away."""

    def __init__(self) -> None:
        self.written: list[Sample] = []
        self.rooms: list[tuple[datetime, datetime]] = []
        self.rolled = 0
        self.retention: Retention | None = None
        self.fault: Exception | None = None
        self.answer: Callable[[HistoryQuery], History] = lambda query: History(NOW, 60, (SeriesHistory("load"),))
        self.asked: list[HistoryQuery] = []

    async def write(self, samples: Sequence[Sample]) -> None:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.written += samples

    async def make_partitions(self, first: datetime, last: datetime) -> None:
        self.rooms.append((first, last))

    async def drop_partitions(self, retention: Retention) -> int:
        self.retention = retention
        return 0

    async def roll_up(self, until: datetime) -> int:
        self.rolled += 1
        return 0

    async def read(self, query: HistoryQuery, until: datetime) -> History:
        self.asked.append(query)
        await asyncio.sleep(0)
        return self.answer(query)


class Lab:
    def __init__(self) -> None:
        self.repository, self.readings, self.statistics = Repository(), ReadingStore(), Statistics()
        self.now = NOW
        self.loaded: list[int] = []
        self.store = HistoryStore(self.loaded.extend)
        definitions = definitions_of(InMemoryDashboards([]), [SOURCE])
        definitions.sources.put("nas", SOURCE)
        self.readings.define([SOURCE], NOW)
        self.service = HistoryWriter(
            definitions,
            self.readings,
            self.repository,
            self.store,
            HistoryConfig(write_seconds=0.05, roll_up_seconds=0.05),
            statistics=self.statistics,
            clock=lambda: self.now,
        )

    def read(self, *metrics: Metric, status: Status = Status.UP, at: datetime = NOW) -> None:
        self.readings.put("nas", Reading(at, status, metrics=metrics))
        self.service.source_read("nas")

    @property
    def values(self) -> list[tuple[str, float]]:
        return [(sample.series.metric, sample.value) for sample in self.repository.written]

    @asynccontextmanager
    async def running(self) -> Any:
        task = asyncio.create_task(self.service.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_reading_becomes_samples_with_whether_the_source_is_up(lab: Lab) -> None:
    async with lab.running():
        lab.read(Metric("load", 5.0, "percent", {"b": "2", "a": "1"}, MetricKind.COUNTER), Metric("gone", None))
        lab.read(status=Status.DEGRADED)
        lab.read(status=Status.DOWN)
        lab.read(status=Status.UNKNOWN)
        await until(lambda: len(lab.repository.written) == 4, "the samples")
    assert lab.values == [("up", 1), ("load", 5), ("up", 1), ("up", 0)]
    series = lab.repository.written[1].series
    assert (series.source_id, series.labels, series.unit, series.kind) == (
        3,
        (("a", "1"), ("b", "2")),
        "percent",
        MetricKind.COUNTER,
    )
    assert lab.repository.rolled
    assert lab.statistics.samples_written == 4


async def test_what_waits_is_written_on_the_way_out(lab: Lab) -> None:
    async with lab.running():
        await asyncio.sleep(0)
        lab.read(Metric("load", 1.0))
    assert lab.values == [("up", 1), ("load", 1)]


async def test_nothing_is_lost_while_the_database_is_away_and_it_is_said_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    lab.repository.fault = StorageUnavailableError("away")
    with capture_logs() as lines:
        async with lab.running():
            for value in range(3):
                lab.read(Metric("load", float(value)))
                await asyncio.sleep(0.06)
            lab.repository.fault = None
            await until(lambda: len(lab.repository.written) == 6, "the samples")
            await until(lambda: any(line["event"] == "history goes on" for line in lines), "the line")
    assert [value for metric, value in lab.values if metric == "load"] == [0, 1, 2]
    assert [line["reason"] for line in lines if line["log_level"] == "warning"] == ["away"]


async def test_only_the_newest_wait_for_a_database_that_stays_away(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT_SAMPLES", 4)
    lab.repository.fault = StorageUnavailableError("away")
    for value in range(5):
        lab.read(Metric("load", float(value)))
    lab.repository.fault = None
    async with lab.running():
        pass
    assert lab.values == [("up", 1), ("load", 3), ("up", 1), ("load", 4)]
    assert lab.statistics.samples_dropped == 6


async def test_what_the_database_refuses_does_not_hold_up_the_rest(lab: Lab) -> None:
    lab.repository.fault = HomelabError("refused")
    async with lab.running():
        lab.read(Metric("load", 1.0))
        await until(lambda: lab.statistics.samples_dropped == 2, "the refusal")
        lab.repository.fault = None
        lab.read(Metric("load", 2.0))
    assert lab.values == [("up", 1), ("load", 2)]


async def test_a_schema_without_the_tables_says_what_to_do(lab: Lab) -> None:
    lab.repository.fault = MissingTableError("The database has no such table")
    with capture_logs() as lines:
        async with lab.running():
            lab.read()
            await until(lambda: any("homelab db upgrade" in str(line.get("reason")) for line in lines), "the line")


async def test_a_reading_that_is_dated_wrong_is_left_out(lab: Lab) -> None:
    with capture_logs() as lines:
        for days in (-2, 2):
            lab.read(Metric("load", 1.0), at=NOW + timedelta(days=days))
        async with lab.running():
            pass
    assert lab.values == []
    assert len(lines) == 1


async def test_what_is_no_sensible_number_is_left_out(lab: Lab) -> None:
    lab.read(Metric("load", 1e300), Metric("nan", float("nan")), Metric("up", 7.0))
    async with lab.running():
        pass
    assert lab.values == [("up", 1)]


async def test_room_is_made_before_the_first_sample_and_seldom_after(lab: Lab) -> None:
    async with lab.running():
        for minute in range(5):
            lab.read(at=NOW + timedelta(minutes=minute))
            await asyncio.sleep(0.06)
    assert len(lab.repository.rooms) == 1
    assert lab.repository.rooms[0][0] <= NOW <= lab.repository.rooms[0][1]


def test_retention_comes_from_the_settings() -> None:
    assert retention_of({}) == Retention(14, 90, 730)
    settings = {"history.retention.raw_days": 3, "history.retention.hours_days": "many"}
    assert retention_of(settings) == replace(Retention(), raw_days=3)
    assert retention_of({"history.retention.raw_days": 0}) == Retention()


class TestStore:
    async def test_the_first_question_has_no_answer_yet_and_wakes_the_dashboards_that_asked(self, lab: Lab) -> None:
        assert lab.store.find(QUERY, 1) is None
        assert lab.store.find(QUERY, 2) is None
        await lab.store.load(lab.repository)
        assert lab.store.find(QUERY, 1) == lab.repository.answer(QUERY)
        assert sorted(lab.loaded) == [1, 2]
        assert lab.repository.asked == [QUERY]

    async def test_an_answer_is_fetched_anew_after_a_step_while_it_is_asked_for(self, lab: Lab) -> None:
        now = [0.0]
        store = HistoryStore(lab.loaded.extend, lambda: now[0])
        store.find(QUERY, 1)
        await store.load(lab.repository)
        for now[0], asked in ((59.0, 1), (61.0, 2), (200.0, 2)):
            if asked == 2 and now[0] < 100:
                assert store.find(QUERY, 1) is not None
            await store.load(lab.repository)
            assert len(lab.repository.asked) == asked
        assert lab.loaded == [1]

    async def test_a_failed_question_says_why_and_is_asked_again(self, lab: Lab) -> None:
        now = [0.0]
        store = HistoryStore(lab.loaded.extend, lambda: now[0])

        def fail(query: HistoryQuery) -> History:
            raise StorageUnavailableError("away")

        works, lab.repository.answer = lab.repository.answer, fail
        store.find(QUERY, 1)
        await store.load(lab.repository)
        with pytest.raises(HistoryFailedError, match="No history: away"):
            store.find(QUERY, 1)
        lab.repository.answer, now[0] = works, 100.0
        with pytest.raises(HistoryFailedError):
            store.find(QUERY, 1)
        await store.load(lab.repository)
        assert store.find(QUERY, 1) is not None

    async def test_what_nobody_asks_for_is_forgotten(self, lab: Lab) -> None:
        now = [0.0]
        store = HistoryStore(clock=lambda: now[0])
        store.find(QUERY, 1)
        await store.load(lab.repository)
        now[0] = 2_000.0
        await store.load(lab.repository)
        assert store.find(QUERY, 1) is None

    def test_without_the_service_it_says_so(self) -> None:
        now = [0.0]
        store = HistoryStore(clock=lambda: now[0])
        assert store.find(QUERY, 1) is None
        now[0] = 100.0
        with pytest.raises(HistoryFailedError, match="Switch it on under Services"):
            store.find(QUERY, 1)

    async def test_it_answers_while_it_runs(self, lab: Lab) -> None:
        async with lab.running():
            await until(lambda: lab.store.find(QUERY, 1) is not None, "the answer")

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import discord
import pytest
import simcord
from structlog.testing import capture_logs

from app.bot.application.collecting import poll_slots
from app.bot.application.collecting.collector import Collector, CollectorConfig
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache, DefinitionRepositories
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.changes import Change
from app.bot.domain.errors import HomelabError, InvalidConfigError, StorageUnavailableError, UnknownTypeError
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource, SourceState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAST = CollectorConfig(jitter=0, min_interval_seconds=0.01, state_write_seconds=0.01)

Read = Callable[[], Awaitable[Reading]]


class Empty:
    async def all(self) -> tuple[Any, ...]:
        return ()


class Sources:
    """Data sources in memory, and the batches of states written."""

    def __init__(self, *sources: DataSource) -> None:
        self.sources = sources
        self.batches: list[list[SourceState]] = []
        self.failure: Exception | None = None
        self.refused: set[int] = set()

    async def all(self) -> tuple[DataSource, ...]:
        return self.sources

    async def get(self, source_id: int) -> DataSource | None:
        return next((source for source in self.sources if source.id == source_id), None)

    async def save_states(self, states: Sequence[SourceState]) -> None:
        if self.failure:
            raise self.failure
        if any(state.data_source_id in self.refused for state in states):
            raise ValueError("unsupported Unicode escape sequence")
        self.batches.append(list(states))

    def state(self, source_id: int) -> SourceState | None:
        states = [state for batch in self.batches for state in batch if state.data_source_id == source_id]
        return states[-1] if states else None


class Types:
    """Integrations in memory."""

    def __init__(self) -> None:
        self.types: tuple[Integration, ...] = ()

    async def all(self) -> tuple[Integration, ...]:
        return self.types


class Scripted:
    """A reader that does what its test says, and counts."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.reads = 0
        self.running = 0
        self.most_running = 0
        self.closed = 0

    async def read(self) -> Reading:
        self.reads += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self._read()
        finally:
            self.running -= 1

    async def close(self) -> None:
        self.closed += 1


class Lab:
    """A collection with everything it works with."""

    def __init__(self, *sources: DataSource, config: CollectorConfig = FAST) -> None:
        self.repository = Sources(*sources)
        empty: Any = Empty()
        self.types = Types()
        self.definitions = DefinitionCache(
            DefinitionRepositories(empty, self.repository, empty, empty, empty, empty, empty, empty, empty, self.types)
        )
        self.readings = ReadingStore()
        self.reads: dict[str, Read] = {}
        self.readers: dict[str, list[Scripted]] = {}
        self.broken: dict[str, Exception] = {}
        self.polled: list[str] = []
        self.statistics = Statistics()
        self.collector = Collector(
            self.definitions,
            self.readings,
            self.open,
            self.repository,
            config,
            clock=lambda: NOW,
            statistics=self.statistics,
        )
        self.collector.on_reading(self.polled.append)

    def open(self, definition: DataSource, _poll_soon: Callable[[], None]) -> Scripted:
        if definition.name in self.broken:
            raise self.broken[definition.name]
        reader = Scripted(self.reads.get(definition.name, up))
        self.readers.setdefault(definition.name, []).append(reader)
        return reader

    async def change(self, *sources: DataSource) -> None:
        self.repository.sources = sources
        await self.definitions.apply(Change("data_sources", "1"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Lab]:
        await self.definitions.reload()
        task = asyncio.create_task(self.collector.run())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def source(name: str = "one", number: int = 1, interval: float = 3600, **values: Any) -> DataSource:
    return DataSource(number, name, "scripted", interval_seconds=interval, **values)


async def up() -> Reading:
    return Reading(NOW, metrics=(Metric("value", 1.0),))


async def hang() -> Reading:
    await asyncio.Event().wait()
    raise AssertionError("never")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # conditions of any kind, which no event tells
            await asyncio.sleep(0.002)


async def test_a_source_is_polled_at_once_and_again_after_its_interval() -> None:
    async with Lab(source(interval=0.01)).running() as lab:
        await until(lambda: lab.readers.get("one") and lab.readers["one"][0].reads >= 3)
        assert lab.readings.latest("one").metrics == (Metric("value", 1.0),)
        assert lab.polled[0] == "one"
        assert lab.statistics.polls >= 2


async def test_a_long_interval_polls_once() -> None:
    async with Lab(source(), source("two", 2, interval=0.01)).running() as lab:
        await until(lambda: lab.polled.count("two") >= 5)
        assert lab.readers["one"][0].reads == 1


async def test_a_source_that_hangs_says_so_and_delays_nobody() -> None:
    lab = Lab(source("slow", timeout_seconds=0.05), source("quick", 2, interval=0.01))
    lab.reads["slow"] = hang
    async with lab.running():
        await until(lambda: "slow" in lab.polled and lab.polled.count("quick") >= 3)
        reading = lab.readings.latest("slow")
        assert (reading.status, reading.message) == (Status.DOWN, "No answer within 0.05 s")
        assert lab.readers["slow"][0].running == 0


async def test_a_reader_that_refuses_to_be_cancelled_delays_nobody() -> None:
    release = asyncio.Event()

    async def stubborn() -> Reading:
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()
        return await up()

    lab = Lab(
        source("stubborn", timeout_seconds=0.01),
        source("two", 2),
        config=FAST.model_copy(update={"max_concurrency": 1}),
    )
    lab.reads["stubborn"] = stubborn
    async with lab.running():
        await until(lambda: {"stubborn", "two"} <= set(lab.polled))
        await lab.collector.poll_now(["stubborn"], 5)
        assert "still hangs" in lab.readings.latest("stubborn").message
        assert lab.readers["stubborn"][0].reads == 1
        release.set()
        await until(lambda: lab.readers["stubborn"][0].running == 0)
        await lab.collector.poll_now(["stubborn"], 5)
        assert lab.readings.latest("stubborn").status is Status.UP


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (HomelabError("Connection refused"), "Connection refused"),
        (TimeoutError(), "No answer in time"),
        (asyncio.CancelledError(), "The reading was broken off"),
    ],
)
async def test_a_failure_becomes_a_reading_that_says_why(failure: BaseException, message: str) -> None:
    async def fail() -> Reading:
        raise failure

    lab = Lab(source())
    lab.reads["one"] = fail
    async with lab.running():
        await until(lambda: lab.polled)
        assert lab.readings.latest("one").message == message
        assert lab.readings.latest("one").status is Status.DOWN
        await until(lambda: lab.repository.state(1))
    state = lab.repository.state(1)
    assert state is not None
    assert (state.status, state.error) == ("down", message)
    assert lab.statistics.failures == 1


async def test_an_unexpected_failure_names_its_place_and_never_its_text() -> None:
    async def fail() -> Reading:
        raise ValueError("password=hunter2")

    lab = Lab(source())
    lab.reads["one"] = fail
    with capture_logs() as logs:
        async with lab.running():
            await until(lambda: lab.polled)
    assert lab.readings.latest("one").message.startswith("Unexpected ValueError at test_collector.py:")
    assert "hunter2" not in repr(logs) + repr(lab.repository.batches)


async def test_something_that_is_no_reading_is_a_failure() -> None:
    async def nothing() -> Any:
        return None

    lab = Lab(source())
    lab.reads["one"] = nothing
    async with lab.running():
        await until(lambda: lab.polled)
        assert "TypeError" in lab.readings.latest("one").message


async def test_a_failure_and_the_recovery_are_one_log_line_each() -> None:
    working = False

    async def sometimes() -> Reading:
        if not working:
            raise HomelabError("Connection refused")
        return await up()

    lab = Lab(source(interval=0.01))
    lab.reads["one"] = sometimes
    with capture_logs() as logs:
        async with lab.running():
            await until(lambda: lab.polled.count("one") >= 3)
            working = True
            lab.collector.retry_failing()
            await until(lambda: lab.readings.latest("one").status is Status.UP)
            await until(lambda: lab.polled.count("one") >= 6)
    assert [(line["event"], line["source"]) for line in logs] == [
        ("data source is down", "one"),
        ("data source is back", "one"),
    ]


async def test_polls_of_one_source_never_overlap_and_a_click_joins_the_running_one() -> None:
    release = asyncio.Event()

    async def wait() -> Reading:
        await release.wait()
        return await up()

    lab = Lab(source(interval=0.01))
    lab.reads["one"] = wait
    async with lab.running():
        await until(lambda: lab.readers.get("one") and lab.readers["one"][0].running)
        clicks = [asyncio.create_task(lab.collector.poll_now(["one", "one", "unknown"], 5)) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(click.done() for click in clicks)
        release.set()
        await asyncio.gather(*clicks)
        assert lab.readers["one"][0].most_running == 1
        assert lab.readings.latest("one").status is Status.UP


async def test_poll_now_polls_before_the_interval_is_over() -> None:
    async with Lab(source()).running() as lab:
        await until(lambda: lab.polled)
        await lab.collector.poll_now(["one"], 5)
        assert lab.readers["one"][0].reads == 2


async def test_poll_now_waits_no_longer_than_it_may_and_leaves_the_poll_running() -> None:
    lab = Lab(source())
    lab.reads["one"] = hang
    async with lab.running():
        await until(lambda: lab.readers.get("one"))
        await lab.collector.poll_now(["one"], 0.01)
        await until(lambda: lab.readers["one"][0].running == 1)


async def test_poll_now_of_a_collection_that_does_not_run_returns() -> None:
    lab = Lab(source())
    await lab.definitions.reload()
    await lab.collector.poll_now(["one"], 5)
    assert lab.polled == []


async def test_a_new_source_is_polled_at_once() -> None:
    async with Lab(source()).running() as lab:
        await until(lambda: lab.polled)
        await lab.change(source(), source("two", 2))
        assert lab.readings.latest("two").status is Status.UNKNOWN
        await until(lambda: "two" in lab.polled)
        assert lab.polled.count("one") == 1


async def test_a_changed_config_opens_a_new_reader_and_closes_the_old() -> None:
    async with Lab(source()).running() as lab:
        await until(lambda: lab.polled)
        await lab.change(source(config={"url": "other"}))
        await until(lambda: lab.polled.count("one") == 2)
        await until(lambda: lab.readers["one"][0].closed == 1)
        assert [reader.reads for reader in lab.readers["one"]] == [1, 1]


async def test_a_changed_type_opens_new_readers_of_its_sources_only() -> None:
    lab = Lab(DataSource(1, "one", "declared"), DataSource(2, "two", "other"))
    lab.types.types = (Integration("declared", definition={"url": "a"}), Integration("other"))
    async with lab.running():
        await until(lambda: lab.readers.keys() == {"one", "two"} and lab.readers["two"][0].reads)
        lab.types.types = (Integration("declared", definition={"url": "b"}), Integration("other"))
        await lab.definitions.apply(Change("data_source_types", "declared"))
        await until(lambda: len(lab.readers["one"]) == 2 and lab.readers["one"][1].reads)
    assert lab.readers["one"][0].closed == 1
    assert len(lab.readers["two"]) == 1


async def test_a_source_that_hears_of_a_change_is_polled_soon_and_again_after_the_poll_that_runs() -> None:
    lab = Lab(source())
    release = asyncio.Event()

    async def slow_from_the_second_on() -> Reading:
        if lab.polled:
            await release.wait()
        return await up()

    lab.reads["one"] = slow_from_the_second_on
    async with lab.running():
        await until(lambda: lab.polled)
        lab.collector.poll_soon("one")
        reader = lab.readers["one"][0]
        await until(lambda: reader.running)
        lab.collector.poll_soon("one")
        lab.collector.poll_soon("nobody")
        release.set()
        await until(lambda: reader.reads == 3)
        await asyncio.sleep(0.05)
    assert reader.reads == 3
    assert reader.most_running == 1


async def test_a_changed_title_or_interval_keeps_the_reader() -> None:
    async with Lab(source()).running() as lab:
        await until(lambda: lab.polled)
        await lab.change(source(title="First", interval=0.01))
        await until(lambda: lab.polled.count("one") >= 3)
        assert len(lab.readers["one"]) == 1


async def test_what_an_old_reader_still_brings_is_dropped() -> None:
    release = asyncio.Event()

    async def wait() -> Reading:
        with suppress(asyncio.CancelledError):
            await release.wait()
        return Reading(NOW, message="old")

    lab = Lab(source())
    lab.reads["one"] = wait
    async with lab.running():
        await until(lambda: lab.readers.get("one") and lab.readers["one"][0].running)
        lab.reads["one"] = up
        await lab.change(source(config={"url": "other"}))
        await until(lambda: lab.polled)
        release.set()
        await until(lambda: lab.readers["one"][0].closed)
        assert lab.readings.latest("one").message == ""


@pytest.mark.parametrize("gone", [True, False])
async def test_a_removed_or_disabled_source_is_closed_and_polled_no_more(gone: bool) -> None:
    async with Lab(source(interval=0.01), source("two", 2, interval=0.01)).running() as lab:
        await until(lambda: "one" in lab.polled)
        two = source("two", 2, interval=0.01)
        await lab.change(*([two] if gone else [replace(source(interval=0.01), enabled=False), two]))
        await until(lambda: lab.readers["one"][0].closed == 1)
        reads = lab.readers["one"][0].reads
        await lab.collector.poll_now(["two"], 5)
        await until(lambda: lab.polled.count("two") >= 5)
        assert lab.readers["one"][0].reads == reads
        if not gone:
            assert lab.readings.latest("one").message == "This data source is switched off"
            await until(lambda: (state := lab.repository.state(1)) and state.status == "unknown")


@pytest.mark.parametrize(
    "error",
    [InvalidConfigError("Config of “one”: url: Field required"), UnknownTypeError("Unknown data source type “x”")],
)
async def test_a_broken_definition_is_shown_and_mended_by_the_next(error: Exception) -> None:
    lab = Lab(source(), source("two", 2))
    lab.broken["one"] = error
    async with lab.running():
        await until(lambda: {"one", "two"} <= set(lab.polled))
        assert lab.readings.latest("one").status is Status.DOWN
        assert lab.readings.latest("one").message == str(error)
        await lab.collector.poll_now(["one"], 5)
        await until(lambda: (state := lab.repository.state(1)) and state.error == str(error))
        del lab.broken["one"]
        await lab.change(source(config={"url": "right"}), source("two", 2))
        await until(lambda: lab.readings.latest("one").status is Status.UP)


async def test_no_more_polls_at_once_than_allowed() -> None:
    running, most = 0, 0

    async def count() -> Reading:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return await up()

    lab = Lab(
        *(source(f"s{number}", number) for number in range(1, 21)),
        config=FAST.model_copy(update={"max_concurrency": 3}),
    )
    lab.reads = {f"s{number}": count for number in range(1, 21)}
    async with lab.running():
        await until(lambda: len(set(lab.polled)) == 20)
    assert most == 3


async def test_sources_that_hang_keep_nobody_waiting() -> None:
    hanging = [source(f"hangs{number}", number, timeout_seconds=30) for number in range(1, 41)]
    quick = [source(f"quick{number}", number, interval=0.05) for number in range(100, 140)]
    lab = Lab(*hanging, *quick, config=FAST.model_copy(update={"max_concurrency": 2}))
    for one in hanging:
        lab.reads[one.name] = hang
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poll_slots, "QUICK_SECONDS", 0.01)
        async with lab.running():
            await until(lambda: all(lab.polled.count(one.name) >= 3 for one in quick))
    assert not any(one.name in lab.polled for one in hanging)


async def test_a_slow_source_needs_no_slot_from_its_second_poll_on() -> None:
    slots = poll_slots.PollSlots(1)
    async with slots.slot(is_slow=False), slots.slot(is_slow=True):
        waiting = asyncio.create_task(hold(slots))
        await asyncio.sleep(0.02)
        assert not waiting.done()
    await waiting


async def hold(slots: poll_slots.PollSlots) -> None:
    async with slots.slot(is_slow=False):
        pass


async def test_how_late_polls_begin_is_a_metric() -> None:
    async with Lab(source(interval=0.01)).running() as lab:
        await until(lambda: lab.polled.count("one") >= 5)
    value, unit = lab.statistics.gauges()["lateness.p99"]
    assert unit == "seconds"
    assert value is not None
    assert value >= 0


async def test_states_are_written_newest_first_and_one_per_source() -> None:
    async with Lab(*(source(f"s{number}", number, interval=0.01) for number in range(1, 6))).running() as lab:
        await until(lambda: len({state.data_source_id for batch in lab.repository.batches for state in batch}) == 5)
    for batch in lab.repository.batches:
        assert len({state.data_source_id for state in batch}) == len(batch)


async def test_a_lost_database_stops_no_poll_and_loses_no_newest_state() -> None:
    lab = Lab(source(interval=0.01))
    lab.repository.failure = StorageUnavailableError("The database cannot be reached: ConnectionRefusedError")
    with capture_logs() as logs:
        async with lab.running():
            await until(lambda: len(lab.polled) >= 5)
            lab.repository.failure = None
            await until(lambda: lab.repository.state(1))
    assert [line["event"] for line in logs] == [
        "states of data sources cannot be written; polling goes on, writing follows",
        "states of data sources are written again",
    ]


async def test_a_state_that_the_database_refuses_keeps_no_other_from_it() -> None:
    lab = Lab(source(interval=0.01), source("two", 2, interval=0.01))
    lab.repository.refused = {1}
    with capture_logs() as logs:
        async with lab.running():
            await until(lambda: lab.repository.state(2) and len(lab.repository.batches) >= 3)
            assert lab.repository.state(1) is None
            lab.repository.refused = set()
            await until(lambda: lab.repository.state(1))
    assert [line["source_id"] for line in logs] == [1]


async def test_what_waits_is_written_when_the_collection_stops() -> None:
    lab = Lab(source(), source("two", 2), config=FAST.model_copy(update={"state_write_seconds": 600}))
    async with lab.running():
        await until(lambda: {"one", "two"} <= set(lab.polled))
    assert lab.repository.state(1)
    assert lab.repository.state(2)
    assert all(readers[0].closed == 1 for readers in lab.readers.values())


async def test_a_stopped_collection_can_run_again() -> None:
    lab = Lab(source())
    for runs in (1, 2):
        async with lab.running():
            await until(lambda: len(lab.polled) == runs)  # noqa: B023  # awaited within the round
    assert [reader.closed for reader in lab.readers["one"]] == [1, 1]


async def test_a_listener_that_fails_stops_nothing() -> None:
    def fail(_name: str) -> None:
        raise ValueError("listener")

    lab = Lab(source(interval=0.01))
    lab.collector.on_reading(fail)
    async with lab.running():
        await until(lambda: len(lab.polled) >= 3)


async def test_a_reader_that_does_not_close_cleanly_is_only_logged() -> None:
    lab = Lab(source())
    with capture_logs() as logs:
        async with lab.running():
            await until(lambda: lab.polled)

            async def fail() -> None:
                raise ValueError("closing")

            lab.readers["one"][0].close = fail  # type: ignore[method-assign]
    assert [line["event"] for line in logs] == ["a data source did not close cleanly"]


class Polling(discord.Client):
    """A bot that does nothing but poll."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(intents=discord.Intents.none())
        self._lab = lab

    async def setup_hook(self) -> None:
        await self._lab.definitions.reload()
        self._task = asyncio.create_task(self._lab.collector.run())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        await super().close()


async def test_intervals_and_pauses_follow_the_clock_of_a_simulated_discord() -> None:
    working = False

    async def sometimes() -> Reading:
        if not working:
            raise HomelabError("Connection refused")
        return await up()

    config = CollectorConfig(jitter=0, state_write_seconds=600)
    lab = Lab(source("steady", 1, interval=30), source("failing", 2, interval=30), config=config)
    lab.reads["failing"] = sometimes
    async with simcord.run(Polling(lab)) as env:
        await env.settle()
        assert sorted(lab.polled) == ["failing", "steady"]
        for seconds, steady, failing in [(29, 1, 1), (2, 2, 2), (30, 3, 2), (30, 4, 3), (120, 8, 4), (240, 16, 5)]:
            await env.advance_time(seconds)
            assert (lab.polled.count("steady"), lab.polled.count("failing")) == (steady, failing), seconds
        working = True
        await env.advance_time(300)
        assert lab.polled.count("failing") == 6
        await env.advance_time(31)
        assert lab.polled.count("failing") == 7

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from app.bot.application.rendering.arrivals import Arrivals
from app.bot.application.rendering.charts import RETRY_SECONDS, ChartStore
from app.bot.domain.blocks.block import Text, View
from app.bot.domain.charts.chart import ChartFailedError, ChartRequest, Picture
from tests.support.waiting import until


class Renderer:
    """Draws when it is told to: each specification is its own picture."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.closed = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def render(self, specification: str) -> bytes:
        self.asked.append(specification)
        await self.gate.wait()
        if specification in self.errors:
            raise self.errors[specification]
        return specification.encode()

    async def close(self) -> None:
        self.closed = True


class Lab:
    def __init__(self, max_bytes: int = 1_000) -> None:
        self.now = 0.0
        self.renderer = Renderer()
        self.woken: list[int] = []
        self.store = ChartStore(self.renderer, self._wake, max_bytes=max_bytes, clock=lambda: self.now)

    def _wake(self, dashboard_ids: Iterable[int]) -> None:
        self.woken += sorted(dashboard_ids)

    def find(self, specification: str, slot: str = "slot", dashboard_id: int = 1) -> str | None:
        picture = self.store.find(ChartRequest(specification), slot, dashboard_id)
        return picture.png.decode() if picture else None

    async def drawn(self, specification: str, slot: str = "slot", dashboard_id: int = 1) -> None:
        self.find(specification, slot, dashboard_id)
        await until(lambda: self.find(specification, slot, dashboard_id) == specification, "the chart to be drawn")


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_chart_is_drawn_once_and_its_dashboard_is_woken(lab: Lab) -> None:
    assert lab.find("a") is None
    await until(lambda: lab.woken == [1], "the dashboard to be woken")
    assert [lab.find("a"), lab.find("a", "another place", 2)] == ["a", "a"]
    assert lab.renderer.asked == ["a"]
    assert lab.woken == [1]


async def test_the_previous_picture_stays_while_the_next_is_drawn(lab: Lab) -> None:
    await lab.drawn("a")
    lab.renderer.gate.clear()
    assert lab.find("b") == "a"
    lab.renderer.gate.set()
    await until(lambda: lab.find("b") == "b", "the next picture")


async def test_what_several_dashboards_want_is_drawn_once_for_all(lab: Lab) -> None:
    lab.renderer.gate.clear()
    lab.find("a", "first", 1)
    lab.find("a", "second", 2)
    await until(lambda: lab.renderer.asked == ["a"], "the drawing to begin")
    lab.find("a", "third", 3)
    lab.renderer.gate.set()
    await until(lambda: lab.woken == [1, 2, 3], "all to be woken")
    assert lab.renderer.asked == ["a"]


async def test_of_several_requests_for_a_slot_only_the_newest_is_drawn(lab: Lab) -> None:
    lab.renderer.gate.clear()
    lab.find("a")
    await until(lambda: lab.renderer.asked == ["a"], "the drawing to begin")
    for specification in "bcd":
        lab.find(specification)
    lab.renderer.gate.set()
    await until(lambda: lab.find("d") == "d", "the newest")
    assert lab.renderer.asked == ["a", "d"]


async def test_a_slot_that_changes_faster_than_it_is_drawn_still_moves(lab: Lab) -> None:
    lab.renderer.gate.clear()
    lab.find("a")
    await until(lambda: lab.renderer.asked == ["a"], "the drawing to begin")
    assert lab.find("b") is None
    lab.renderer.gate.set()
    await until(lambda: bool(lab.woken), "the first picture")
    lab.renderer.gate.clear()
    assert lab.find("c") in ("a", "b")


async def test_a_failure_is_remembered_and_said_until_the_slot_wants_something_that_works(lab: Lab) -> None:
    lab.renderer.errors = {name: ValueError(f"{name} is wrong") for name in ("a", "b")}
    assert lab.find("a") is None
    await until(lambda: bool(lab.woken), "the dashboard to be woken")
    for _ in range(2):
        with pytest.raises(ChartFailedError, match="a is wrong"):
            lab.find("a")
    with pytest.raises(ChartFailedError, match="a is wrong"):
        lab.find("b")
    await until(lambda: len(lab.woken) == 2, "the next failure")
    with pytest.raises(ChartFailedError, match="b is wrong"):
        lab.find("b")
    with pytest.raises(ChartFailedError):
        lab.find("c")
    await until(lambda: len(lab.woken) == 3, "the picture")
    assert lab.find("c") == "c"
    assert lab.renderer.asked == ["a", "b", "c"]


@pytest.mark.parametrize("error", [TimeoutError("It took too long"), OSError("No process"), RuntimeError("odd")])
async def test_what_may_pass_is_tried_again_later(lab: Lab, error: Exception) -> None:
    lab.renderer.errors = {"a": error}
    lab.find("a")
    await until(lambda: bool(lab.woken), "the dashboard to be woken")
    with pytest.raises(ChartFailedError):
        lab.find("a")
    assert lab.renderer.asked == ["a"]
    lab.renderer.errors, lab.now = {}, RETRY_SECONDS
    with pytest.raises(ChartFailedError):
        lab.find("a")
    await until(lambda: len(lab.woken) == 2, "the second attempt")
    assert lab.find("a") == "a"


async def test_memory_is_bounded_by_bytes_and_keeps_what_is_used() -> None:
    lab = Lab(max_bytes=250)
    for name in "abc":
        await lab.drawn(name * 100, slot=name)
        if name != "a":
            assert lab.find("a" * 100, "a") is not None
    assert lab.store.size <= 250
    assert lab.find("a" * 100, "a") is not None
    assert lab.store.picture(ChartRequest("b" * 100).digest) is None
    assert lab.store.picture(ChartRequest("c" * 100).digest) == Picture(ChartRequest("c" * 100).digest, b"")


async def test_nothing_is_drawn_after_the_end(lab: Lab) -> None:
    lab.renderer.gate.clear()
    lab.find("a")
    lab.find("b", "other")
    await until(lambda: lab.renderer.asked == ["a"], "the drawing to begin")
    await lab.store.close()
    assert lab.woken == []
    assert lab.renderer.closed


async def test_waiting_ends_with_what_is_complete(lab: Lab) -> None:
    arrivals = Arrivals()
    missing = 2

    def build() -> View:
        return View((Text(str(missing)),), pending=missing > 0)

    waiting = asyncio.create_task(arrivals.complete(1, build, 30))
    for left in (1, 0):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        arrivals.arrived([2])
        missing = left
        arrivals.arrived([1])
    assert (await waiting).blocks == (Text("0"),)


async def test_waiting_ends_when_the_time_is_up() -> None:
    arrivals = Arrivals()
    view = await arrivals.complete(1, lambda: View((Text("x"),), pending=True), 0.01)
    assert view.pending
    assert not arrivals._waiting

"""Charts: drawn cold, warm and not at all, beside vl-convert called directly; and what memory that takes where."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from app.bot.application.rendering.charts import ChartStore
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.charts.chart import ChartRequest, Picture
from app.bot.domain.components.component import RenderContext, parse_config
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.readings.history import History, HistoryQuery, SeriesHistory
from app.bot.domain.readings.source import DataSource
from app.shared.chart_worker import SCALE
from app.shared.charts import ChartRenderer
from app.shared.templating import SandboxedTemplates

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLD_ROUNDS, WARM_ROUNDS, ROUNDS = 3, 30, 500
CONFIG = {
    "title": "Load",
    "series": [{"source": "lab", "metric": name} for name in ("cpu", "memory", "disk")],
    "thresholds": {"warning": 80, "critical": 95},
}


class _Histories:
    """Three curves of a day; `grow` is the next step."""

    def __init__(self) -> None:
        self._step = 0
        self._known: dict[HistoryQuery, History] = {}

    def grow(self) -> None:
        """Another step has passed."""
        self._step += 1
        self._known.clear()

    def find(self, query: HistoryQuery, dashboard_id: int) -> History:
        """Return the same object until the next step, as the bot's own store."""
        if query not in self._known:
            shift = len(query.metric) + self._step
            values = tuple(50 + 40 * math.sin((number + shift) / 9) + number % 7 for number in range(144))
            start = NOW - timedelta(seconds=144 * query.step_seconds)
            self._known[query] = History(
                start, query.step_seconds, (SeriesHistory(query.metric, (), "percent", values),)
            )
        return self._known[query]


class _Asked:
    """Keeps what was asked for."""

    def __init__(self) -> None:
        self.request = ChartRequest("{}")

    def find(self, request: ChartRequest, slot: str, dashboard_id: int) -> Picture | None:
        """Nothing."""
        self.request = request
        return None


async def run() -> None:
    """Print times and memory of a chart with three curves of 144 points."""
    chart = parse_config(component_types["chart"], CONFIG, "bench")
    histories, asked = _Histories(), _Asked()
    chart.render(_context(histories, asked))
    specification = asked.request.specification
    before = _resident(None)
    renderer, drawn = ChartRenderer(), asyncio.Event()
    store = ChartStore(renderer, lambda dashboard_ids: drawn.set())
    try:
        cold = await _cold(specification)
        warm, size = await _warm(renderer, specification)
        store.find(asked.request, "1//1/1", 1)
        await drawn.wait()
        context = _context(histories, store)
        found = _microseconds(lambda: store.find(asked.request, "1//1/1", 1))
        unchanged = _microseconds(lambda: chart.render(context))
        changed = _microseconds(lambda: (histories.grow(), chart.render(_context(histories, asked))))
        own, worker = _resident(None) - before, _resident(renderer.process_id)
    finally:
        await store.close()
    direct_cold, direct_warm = _direct(specification)
    kibibytes = (len(specification) / 1024, size / 1024)
    print("3 curves of 144 points      {:8.0f} KiB of specification, {:.0f} KiB of PNG".format(*kibibytes))
    print(f"cold, process started       {cold:8.0f} ms   vl-convert called here {direct_cold:6.0f} ms")
    print(f"warm                        {warm:8.0f} ms   vl-convert called here {direct_warm:6.0f} ms")
    print(f"ratio warm                  {warm / direct_warm:8.2f}      (the pipe, the look at the SVG, a smaller PNG)")
    print(f"unchanged, found by digest  {found:8.1f} us   {found / 1000 / warm:.6f} of drawing it")
    print(f"unchanged, whole component  {unchanged:8.1f} us   {unchanged / 1000 / warm:.6f} of drawing it")
    print(f"changed, the specification  {changed:8.0f} us   of the event loop; the drawing is beside it")
    print(f"memory                      {own / 2**20:8.1f} MiB here, {worker / 2**20:.0f} MiB where it is drawn")


def _context(histories: Any, charts: Any) -> RenderContext:
    readings = ReadingStore()
    readings.define([DataSource(1, "lab", "static")], NOW)
    templates = SandboxedTemplates(filters=FILTERS, finalize=finalize)
    context = RenderContext(NOW, readings, templates, {"id": 1}, histories=histories, charts=charts)
    context.begin(1)
    return context


async def _cold(specification: str) -> float:
    times = []
    for _ in range(COLD_ROUNDS):
        renderer = ChartRenderer()
        start = time.perf_counter()
        await renderer.render(specification)
        times.append((time.perf_counter() - start) * 1e3)
        await renderer.close()
    return statistics.median(times)


async def _warm(renderer: ChartRenderer, specification: str) -> tuple[float, int]:
    """Every drawing is another one: only its height differs."""
    times, png = [], b""
    for spec in itertools.islice(_others(specification), WARM_ROUNDS + 1):
        start = time.perf_counter()
        png = await renderer.render(spec)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[1:]), len(png)


def _direct(specification: str) -> tuple[float, float]:
    times = []
    for spec in itertools.islice(_others(specification), WARM_ROUNDS + 1):
        start = time.perf_counter()
        import vl_convert

        vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=[])
        times.append((time.perf_counter() - start) * 1e3)
    return times[0], statistics.median(times[1:])


def _others(specification: str) -> Any:
    spec = json.loads(specification)
    return (json.dumps({**spec, "height": spec["height"] + number}) for number in itertools.count())


def _microseconds(action: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e6)
    return statistics.median(times)


def _resident(process_id: int | None) -> int:
    return int(psutil.Process(process_id).memory_info().rss)

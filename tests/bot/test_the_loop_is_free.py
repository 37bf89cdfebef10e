"""Whatever a row or an answer holds, the event loop is never kept longer than 50 ms by one component or source."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from app.bot.application.collecting.polling import GuardedReader
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.storable import storable
from app.bot.domain.blocks.block import View
from app.bot.domain.components.component import component_types
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.readings.history import History, HistoryQuery, SeriesHistory
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, Reading
from app.bot.domain.readings.source import SourceState
from app.bot.infrastructure.repositories import PostgresDataSources
from app.shared.expressions import CelExpressions
from tests.bot.domain.test_patterns import CATASTROPHIC
from tests.support import factories
from tests.support.loop_monitor import LONGEST_SECONDS, LoopMonitor, monitored_loop
from tests.support.rendering import NOW, TEMPLATES, assert_fits_discord, metrics, store

HOSTILE = "\u202e@everyone [x](javascript:1) ``` **b** <@1> \x00\x07" + "漢" * 500
"""Right to left, a mention, Markdown, control characters, and long."""

ENDLESS = (
    "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ 'x' * 100000000 }}",
    "{{ range(9999)|map('string')|join|length }}" * 60,
    "{{ items('lab', 'rows')|map(attribute='name')|join(', ')|length }}" * 40,
    "{{ (items('lab', 'rows')|groupby('name')|list)[0] }}" * 40,
    "{{ '%s' | replace('', 'y' * 1000) | replace('y', 'z' * 1000) }}",
    "{{ dashboard.name }}" * 199,
)


@pytest.fixture(scope="module")
def readings() -> ReadingStore:
    rows: list[dict[str, Any]] = [
        {"name": f"{number} {HOSTILE}", "status": HOSTILE, "value": number, "nested": {"deep": [HOSTILE] * 20}}
        for number in range(10_000)
    ]
    many = [
        Metric("load", float("nan") if number % 2 else 1e300, HOSTILE, {"core": str(number)}) for number in range(9)
    ]
    return store(lab=storable(metrics(*many, rows=rows)))


async def built(
    readings: ReadingStore, type_name: str, config: dict[str, Any], **layout: Any
) -> tuple[View, LoopMonitor]:
    """A dashboard of one component, built in a turn of the loop as the publisher does."""
    builder = DashboardBuilder(ComponentFactory(component_types), readings, TEMPLATES, expressions=CelExpressions())
    component = DashboardComponent(1, 1, type_name, config=config)
    dashboard = Dashboard(1, 1, HOSTILE[:90], layout=layout, components=(component,))

    async def build() -> View:
        return builder.build(dashboard, NOW)

    with monitored_loop() as monitor:
        view = await asyncio.create_task(build())
    return view, monitor


async def test_the_monitor_sees_what_blocks() -> None:
    with monitored_loop() as monitor:
        asyncio.get_running_loop().call_soon(lambda: sum(range(10_000_000)))
        await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
    assert monitor.longest > LONGEST_SECONDS, str(monitor)


@pytest.mark.parametrize("template", ENDLESS, ids=range(len(ENDLESS)))
async def test_an_endless_template_ends(readings: ReadingStore, template: str) -> None:
    view, monitor = await built(readings, "text", {"text": template[:4_000]})
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert_fits_discord(view)


async def test_many_slow_templates_share_the_time_of_one_component(readings: ReadingStore) -> None:
    slow = "{% for a in range(1500) %}{{ a * a }}{% endfor %}"
    pairs = [{"label": str(number), "text": slow} for number in range(20)]
    view, monitor = await built(readings, "key_value", {"pairs": pairs})
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert_fits_discord(view)


def many(*children: dict[str, Any]) -> dict[str, Any]:
    """As many components in one as there may be, each different from the others."""
    inner = {"values": list(range(20)), "as": "second", "limit": 20, "children": list(children)}
    return {"values": list(range(19)), "limit": 19, "children": [{"type": "repeat", "config": inner}]}


@pytest.mark.parametrize(
    "child",
    [
        {"type": "gauge", "config": {"source": "lab", "metric": "load", "label": "${item} ${second}"}},
        {"type": "text", "config": {"text": "{{ item * second }} ${item} ${second}"}},
        {
            "type": "table",
            "config": {"source": "lab", "items": "rows", "limit": 30, "columns": [{"field": "value"}]},
        },
        {"type": "text", "config": {"text": "x"}, "visible_when": "item > second"},
    ],
    ids=["gauge", "text", "table", "condition"],
)
async def test_components_in_components_share_the_time_of_one(readings: ReadingStore, child: dict[str, Any]) -> None:
    view, monitor = await built(readings, "repeat", many(child))
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert_fits_discord(view)


ROWS = {"source": "lab", "items": "rows"}
NAMES = [{"type": "text", "config": {"text": "${item.name}"}}, {"type": "text", "config": {"text": "{{ item.name }}"}}]


@pytest.mark.parametrize(
    ("type_name", "config"),
    [
        ("table", {**ROWS, "columns": [{"field": "name"}, {"field": "nested.deep"}], "limit": 30}),
        ("table", {**ROWS, "columns": [{"field": "value"}], "sort_by": "name", "descending": True}),
        ("table", {**ROWS, "columns": [{"field": "name"}], "where": {"nested": "x"}}),
        ("status_list", {**ROWS, "detail_field": "nested", "worst_first": True, "limit": 50}),
        ("gauge", {"source": "lab", "metric": "load", "each": "core"}),
        ("top_list", {**ROWS, "value_field": "value", "limit": 20}),
        ("service_grid", {**ROWS, "worst_first": True, "limit": 60}),
        ("log_tail", {**ROWS, "message_field": "name", "level_field": "status", "contains": "nowhere"}),
        ("calendar", {**ROWS, "title_field": "name", "starts_field": "value"}),
        (
            "feed_list",
            {**ROWS, "title_field": "name", "published_field": "value", "summary_field": "name", "limit": 20},
        ),
        ("gallery", {**ROWS, "url_field": "name"}),
        ("repeat", {**ROWS, "children": NAMES, "where": "item.value > 500 && item.status != 'x'", "limit": 25}),
        ("repeat", {**ROWS, "children": NAMES, "sort_by": "name", "limit": 25}),
    ],
)
async def test_ten_thousand_hostile_items_are_no_burden(
    readings: ReadingStore, type_name: str, config: dict[str, Any]
) -> None:
    view, monitor = await built(readings, type_name, config)
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert_fits_discord(view)
    assert not view.problems


BUSY = ("[ab]*[ab]*" + "[ab]" * 20 + "c", ".*[ab]*" + "a" * 20 + "c", "a{0,9}a{2,}" + "a" * 20 + "^")
"""Expressions on a text that an engine which tries one way after the other would be busy with."""


HEAVY = tuple(rf"\w{{30}}{number}" for number in range(30))
"""Expressions that take long to compile."""


@pytest.mark.parametrize("patterns", [BUSY, CATASTROPHIC, HEAVY])
async def test_no_regular_expression_keeps_the_loop(patterns: tuple[str, ...]) -> None:
    rows = [{"name": "a" * number + "b"} for number in range(64)]
    mappings = [{"regex": pattern, "text": "found"} for pattern in patterns]
    columns = [{"field": "name", "mappings": mappings}] * 8
    busy = store(lab=metrics(rows=rows))
    view, monitor = await built(busy, "table", {**ROWS, "columns": columns, "limit": 30})
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert_fits_discord(view)


@pytest.mark.parametrize("where", ["", "item.value > 500 && item.status != 'x'", "item.nested.deep.all(x, x != 'y')"])
async def test_a_variable_of_many_hostile_items_is_no_burden(readings: ReadingStore, where: str) -> None:
    variable = {"name": "v", "type": "query", **ROWS, "where": where, "all_option": True, "value_field": "value"}
    view, monitor = await built(readings, "variable_select", {"variable": "v"}, variables=[variable])
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert_fits_discord(view)


class _Huge:
    """A source whose answer is megabytes."""

    async def read(self) -> Reading:
        rows = [{"name": HOSTILE, "deep": [HOSTILE] * 50, "number": number} for number in range(MAX_ITEMS * 2)]
        return metrics(rows=rows, more=rows)

    async def close(self) -> None:
        pass


async def test_huge_answers_are_kept_off_the_loop(bot_pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    sources = [(await factories.data_source(owner))["id"] for _ in range(5)]
    reader = GuardedReader(_Huge(), lambda: NOW)
    huge = await _Huge().read()
    reader._reader.read = lambda: _given(huge)  # type: ignore[attr-defined]  # making it is not what is measured
    with monitored_loop() as monitor:
        reading = (await reader.poll(60)).reading
        states = [SourceState(source, "up", "", reading, None, NOW, 0.1) for source in sources]
        await PostgresDataSources(bot_pool).save_states(states)
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert await owner.fetchval("SELECT jsonb_array_length(reading -> 'items' -> 'rows') FROM source_states LIMIT 1")


async def _given(reading: Reading) -> Reading:
    return reading


class _Past:
    """History of as many series and points as a chart may have."""

    def find(self, query: HistoryQuery, dashboard_id: int) -> History | None:
        count = int(query.range_seconds // query.step_seconds)
        values = tuple(float(number % 97) for number in range(count))
        names = [(("core", f"{number} {HOSTILE}"),) for number in range(30)]
        return History(NOW, query.step_seconds, tuple(SeriesHistory("load", name, "bytes", values) for name in names))


@pytest.mark.parametrize("kind", ["line", "area", "bar", "heatmap", "histogram"])
async def test_a_chart_of_all_that_fits_is_specified_in_time(readings: ReadingStore, kind: str) -> None:
    config = {"kind": kind, "series": [{"source": "lab", "metric": "load"}], "range": "30d", "step": "15m"}
    builder = DashboardBuilder(ComponentFactory(component_types), readings, TEMPLATES, histories=_Past())
    dashboard = Dashboard(1, 1, "Lab", components=(DashboardComponent(1, 1, "chart", config=config),))

    async def build() -> View:
        return builder.build(dashboard, NOW)

    with monitored_loop() as monitor:
        view = await asyncio.create_task(build())
    assert monitor.longest < LONGEST_SECONDS, str(monitor)
    assert not view.problems

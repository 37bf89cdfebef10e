from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bot.domain.blocks.block import View
from app.bot.domain.components.component import component_types
from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.formatting.regions import Region
from app.bot.domain.readings.reading import Metric
from app.shared.charts import ChartError, ChartRenderer
from tests.support.charting import MemoryCharts, MemoryHistories, drawing_context, image, series, texts
from tests.support.json_schemas import instances
from tests.support.rendering import assert_fits_discord, component, metrics

LINE = {
    "mark": "line",
    "encoding": {"x": {"field": "time", "type": "temporal"}, "y": {"field": "value", "type": "quantitative"}},
}
PAST = {"source": "lab", "metric": "cpu", "range": "1h", "step": "30m"}
NET = {"ip": "10.0.0.2", "deep": {"er": 1}}
ROW = {"name": "web\x00_1", "cpu": 12.5, "bad": float("nan"), "net": NET, "n": 10**400}


def rendered(charts: MemoryCharts, **config: Any) -> Any:
    context = drawing_context(
        MemoryHistories(cpu=[series(1.0, float("nan"), labels={"core": "a"}), series(3.0, labels={"core": "b"})]),
        charts,
        Region(time_zone="Europe/Berlin"),
        lab=metrics(Metric("cpu", 42.0, "percent", {"core": "a"}), rows=[ROW] * 3_000),
    )
    return component("vega_lite", {"spec": LINE, **config}).render(context)


def test_history_is_a_named_dataset_in_the_time_of_the_guild() -> None:
    charts = MemoryCharts()
    shown = rendered(charts, datasets={"load": PAST}, title="Mine", description="Load of *all* cores")
    assert charts.spec["datasets"]["load"] == [
        {"core": "a", "time": "2026-05-01T13:00:00", "utc": 1777633200000, "value": 1.0, "series": "a"},
        {"core": "a", "time": "2026-05-01T13:30:00", "utc": 1777635000000, "value": None, "series": "a"},
        {"core": "b", "time": "2026-05-01T13:00:00", "utc": 1777633200000, "value": 3.0, "series": "b"},
    ]
    assert charts.spec["data"] == {"name": "load"}
    assert (charts.spec["width"], charts.spec["height"]) == (500, 220)
    assert texts(shown) == "**Mine**"
    assert image(shown).description == "Load of *all* cores"


def test_items_and_metrics_are_datasets_too_cleaned_and_capped() -> None:
    charts = MemoryCharts()
    now = {"source": "lab", "metric": "cpu"}
    rendered(charts, datasets={"rows": {"source": "lab", "items": "rows"}, "now": now})
    assert len(charts.spec["datasets"]["rows"]) == 2_000, "of three thousand"
    assert charts.spec["datasets"]["rows"][0] == {
        "name": "web _1", "cpu": 12.5, "bad": None, "net": NET, "n": None,
    }  # fmt: skip
    assert charts.spec["datasets"]["now"] == [{"core": "a", "metric": "cpu", "value": 42.0, "unit": "percent"}]


def test_all_datasets_together_are_bounded() -> None:
    charts = MemoryCharts()
    wide = {f"field {number}": {"a": ["x" * 10_000] * 50} for number in range(50)}
    context = drawing_context(None, charts, lab=metrics(rows=[wide] * 1_000))
    datasets = {str(number): {"source": "lab", "items": "rows"} for number in range(10)}
    component("vega_lite", {"spec": LINE, "datasets": datasets}).render(context)
    sizes = [len(rows) for rows in charts.spec["datasets"].values()]
    assert sum(sizes) * 20 * 22 <= 20_000
    assert sizes[0] > 0
    assert len(charts.requests[0].specification) < 2 * 2**20 * 3


def test_the_specification_stands_above_the_theme() -> None:
    charts = MemoryCharts()
    own = {"background": "#ffffff", "width": 300, "config": {"axis": {"labelFontSize": 20}}, "datasets": {"mine": [1]}}
    rendered(charts, spec={**LINE, **own, "data": {"name": "mine"}}, datasets={"load": PAST})
    spec = charts.spec
    assert (spec["background"], spec["width"]) == ("#ffffff", 300)
    assert spec["config"]["axis"]["labelFontSize"] == 20
    assert spec["config"]["axis"]["labelColor"]
    assert set(spec["datasets"]) == {"mine", "load"}


def test_jinja_is_not_run_over_the_specification() -> None:
    charts = MemoryCharts()
    rendered(charts, spec={"mark": {"type": "text", "text": "{{ dashboard.name }}"}})
    assert charts.spec["mark"]["text"] == "{{ dashboard.name }}"


def test_it_waits_for_history_and_reads_its_sources_only() -> None:
    waiting = {"source": "lab", "metric": "other", "range": "1h"}
    charts = MemoryCharts()
    assert texts(rendered(charts, datasets={"x": waiting})) == "-# Drawing the chart …"
    assert not charts.requests
    one = component("vega_lite", {"spec": {"source": "no"}, "datasets": {"x": waiting}})
    assert one.sources() == {"lab"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"datasets": {"x": {"source": "lab"}}}, "either items or metric"),
        ({"datasets": {"x": {"source": "lab", "items": "a", "metric": "b"}}}, "either items or metric"),
        ({"spec": []}, "spec"),
        ({"spec": {"x": float("inf")}}, "no such numbers"),
        ({"spec": {"x": "y" * 200_000}}, "at most 100,000"),
    ],
)
def test_a_wrong_config_is_refused_by_name(config: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidConfigError, match=words):
        rendered(MemoryCharts(), **config)


async def test_a_specification_of_ones_own_is_drawn_and_a_bad_one_says_why() -> None:
    renderer, charts = ChartRenderer(timeout_seconds=60), MemoryCharts()
    try:
        rendered(charts, datasets={"load": PAST})
        assert (await renderer.render(charts.requests[-1].specification)).startswith(b"\x89PNG")
        rendered(charts, spec={"mark": "nope"})
        with pytest.raises(ChartError, match="Vega-Lite"):
            await renderer.render(charts.requests[-1].specification)
    finally:
        await renderer.close()


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_schema_accepts_makes_valid_blocks(data: st.DataObject) -> None:
    schema = component_types["vega_lite"].model_json_schema()
    fields = {"source": st.just("lab"), "metric": st.sampled_from(["", "cpu"]), "items": st.sampled_from(["", "rows"])}
    config = data.draw(instances(schema, fields))
    jsonschema.validate(config, schema)
    charts = MemoryCharts()
    try:
        blocks = rendered(charts, **config)
    except HomelabError:
        return
    assert_fits_discord(View(blocks))
    for request in charts.requests:
        json.loads(request.specification, parse_constant=pytest.fail)

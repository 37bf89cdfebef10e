from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bot.domain.blocks.block import View
from app.bot.domain.charts.chart import ChartFailedError
from app.bot.domain.components.component import component_types
from app.bot.domain.errors import HomelabError, InvalidConfigError, UnknownSourceError
from app.bot.domain.formatting.regions import Region
from app.bot.domain.readings.history import Aggregate
from app.bot.domain.readings.reading import Metric, MetricKind
from app.shared.charts import ChartRenderer
from tests.support.charting import MemoryCharts, MemoryHistories, drawing_context, every, image, series, texts
from tests.support.json_schemas import instances
from tests.support.rendering import assert_fits_discord, component, metrics

CPU = {"source": "lab", "metric": "cpu"}
MANY = [float(number % 17) for number in range(144)]
KINDS = ["line", "area", "bar", "heatmap", "histogram"]
HOSTILE = "\u202eשלום **b** @everyone <@1> ```\n\x00"


def chart(*more: dict[str, Any], **config: Any) -> Any:
    return component("chart", {"series": [CPU, *more], **config})


def test_the_past_is_asked_for_in_steps_that_fit() -> None:
    histories = MemoryHistories(cpu=[])
    for config in [{}, {"range": "7d"}, {"range": "30d", "kind": "bar"}, {"range": "1h", "step": "5m"}]:
        chart(**config).render(drawing_context(histories))
    queries = [(query.range_seconds, query.step_seconds) for query in histories.queries]
    assert queries == [(86_400, 600), (604_800, 7_200), (2_592_000, 86_400), (3_600, 300)]
    assert {query.aggregate for query in histories.queries} == {Aggregate.AVG}


def test_a_counter_is_shown_as_its_rate_unless_said_otherwise() -> None:
    histories = MemoryHistories(cpu=[series(100.0, 200.0, unit="bytes")])
    readings = metrics(Metric("cpu", 9e9, "bytes", kind=MetricKind.COUNTER))
    shown = chart().render(drawing_context(histories, lab=readings))
    assert histories.queries[-1].aggregate is Aggregate.RATE
    assert texts(shown) == "-# cpu **200 B/s**"
    component("chart", {"series": [{**CPU, "aggregate": "max"}]}).render(drawing_context(histories, lab=readings))
    assert histories.queries[-1].aggregate is Aggregate.MAX


def test_while_history_or_picture_are_missing_it_says_so() -> None:
    context = drawing_context()
    assert texts(chart(title="Load").render(context)) == "**Load**\n-# Drawing the chart …"
    assert context.pending


def test_without_any_value_it_says_so_and_draws_nothing() -> None:
    for rows in ([], [series(None, None)], [series(float("nan"), float("inf"))]):
        charts = MemoryCharts()
        shown = chart(range="7d").render(drawing_context(MemoryHistories(cpu=rows), charts))
        assert "No values in the last 7 days yet." in texts(shown)
        assert not charts.requests


def test_title_and_newest_values_are_text_and_the_picture_is_described() -> None:
    histories = MemoryHistories(cpu=[series(*MANY, 12.0)], load=[series(1.0, 2.5, None, unit="")])
    context = drawing_context(histories, lab=metrics(Metric("cpu", 42.0, "percent")))
    shown = chart({"source": "lab", "metric": "load", "label": "Load *x*"}, title="The {{ dashboard.name }}").render(
        context
    )
    assert texts(shown) == "**The Lab**\n-# cpu **42 %** · Load \\*x\\* **2.5 %**"
    description = image(shown).description
    assert description is not None
    assert description.startswith("The Lab: Line chart of the last 24 hours.")
    assert description.endswith("cpu 12 %, Load *x* 2.5 %")
    assert image(shown).url.startswith("attachment://")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_number_is_a_gap_and_never_in_the_json(kind: str) -> None:
    values = (1.0, float("nan"), None, float("inf"), -float("inf"), 1.7e308, -1.7e308, 5.0)
    charts = MemoryCharts()
    chart(kind=kind).render(drawing_context(MemoryHistories(cpu=[series(*values)]), charts))
    assert charts.spec


def test_gaps_stay_gaps_and_a_lonely_value_is_a_point() -> None:
    charts = MemoryCharts()
    chart().render(drawing_context(MemoryHistories(cpu=[series(1, 2, None, 4, None, 6)]), charts))
    rows = charts.spec["data"]["values"]
    assert [row["y"] for row in rows] == [1, 2, None, 4, None, 6]
    assert [row.get("alone") for row in rows] == [None, None, None, 1, None, 1]


def test_stacks_stand_on_each_other_and_are_gaps_only_where_nothing_is_known() -> None:
    charts = MemoryCharts()
    rows = [series(1, 2, None, 4, labels={"p": "a"}), series(10, None, None, -40, labels={"p": "b"})]
    chart(kind="area", stacked=True).render(drawing_context(MemoryHistories(cpu=rows), charts))
    ends = [(row["s"], row["y0"], row["y"]) for row in charts.spec["data"]["values"]]
    assert ends == [
        (0, 0, 1), (1, 1, 11),
        (0, 0, 2), (1, 2, 2),
        (0, None, None), (1, None, None),
        (0, 0, 4), (1, 0, -40),
    ]  # fmt: skip


def test_series_of_one_metric_are_named_by_what_tells_them_apart() -> None:
    rows = [series(1, labels={"host": "nas", "mount": mount}) for mount in ("/", "/media")]
    for label, names in [("", ["/", "/media"]), ("Disk", ["Disk /", "Disk /media"])]:
        shown = component("chart", {"series": [{**CPU, "label": label}]}).render(
            drawing_context(MemoryHistories(cpu=rows), lab=metrics())
        )
        assert texts(shown) == f"-# {names[0]} **1 %** · {names[1]} **1 %**"


def test_points_and_curves_are_bounded() -> None:
    charts = MemoryCharts()
    rows = [series(*[float(number)] * 5_000, labels={"n": str(number)}) for number in range(30)]
    context = drawing_context(MemoryHistories(cpu=rows), charts, lab=metrics())
    shown = chart(range="52w", step="1m").render(context)
    assert len(charts.spec["data"]["values"]) <= 2_020
    assert len({row["s"] for row in charts.spec["data"]["values"]}) == 20
    assert "14 more" in texts(shown)
    assert_fits_discord(View(shown))


def test_thresholds_are_lines_and_bands() -> None:
    for marked, marks in [("both", ["rect", "rect", "rule", "rule"]), ("lines", ["rule"] * 2), ("none", [])]:
        charts = MemoryCharts()
        chart(thresholds={"warning": 60, "critical": 80}, mark_thresholds=marked, maximum=100).render(
            drawing_context(MemoryHistories(cpu=[series(50, 70)]), charts)
        )
        found = every(charts.spec, lambda part: isinstance(part, dict) and part.get("type") in ("rect", "rule"))
        assert sorted(part["type"] for part in found) == marks


def test_the_clock_of_the_guild_is_on_the_axis_and_in_the_heatmap() -> None:
    for zone, hour in [("UTC", 11), ("Europe/Berlin", 13), ("Asia/Kolkata", 17)]:
        charts = MemoryCharts()
        context = drawing_context(MemoryHistories(cpu=[series(*range(1, 49))]), charts, Region(time_zone=zone))
        chart(kind="heatmap").render(context)
        assert charts.spec["data"]["values"][-1]["h"] == hour


def test_nothing_is_made_anew_while_nothing_changed() -> None:
    charts, one = MemoryCharts(), chart()
    rows = [series(*MANY)]
    for _ in range(2):
        one.render(drawing_context(MemoryHistories(cpu=rows), charts, lab=metrics(Metric("cpu", 3.0))))
    assert charts.requests[0] is charts.requests[1]
    one.render(drawing_context(MemoryHistories(cpu=[series(*MANY, 3.0)]), charts))
    one.render(drawing_context(MemoryHistories(cpu=rows), charts, Region("Asia/Kolkata")))
    assert len({request.digest for request in charts.requests}) == 3


def test_gauges_show_what_is_now_in_the_colour_of_its_threshold() -> None:
    readings = metrics(Metric("cpu", 42.0, "percent"), Metric("ram", 0.97, "ratio"), Metric("disk", None, "percent"))
    charts = MemoryCharts()
    more = [{"source": "lab", "metric": name} for name in ("ram", "disk")]
    shown = chart(*more, kind="gauge", thresholds={"warning": 0.9}).render(drawing_context(None, charts, lab=readings))
    assert image(shown).description == "cpu 42 %, ram 97.0 %, disk no data"
    assert len(charts.spec["hconcat"]) == 3
    with pytest.raises(InvalidConfigError, match="maximum"):
        chart(kind="gauge").render(drawing_context(lab=metrics(Metric("cpu", 3e9, "bytes"))))
    before = len(charts.requests)
    for value in (42.1, 42.2):
        chart(kind="gauge").render(drawing_context(None, charts, lab=metrics(Metric("cpu", value, "percent"))))
    assert charts.requests[before].digest == charts.requests[before + 1].digest


def test_a_donut_shows_the_shares_of_all_that_match() -> None:
    values = [Metric("cpu", value, "bytes", {"pool": str(value)}) for value in (3e9, 1e9, -5.0, None)]
    charts = MemoryCharts()
    shown = chart(kind="donut").render(drawing_context(None, charts, lab=metrics(*values)))
    assert [row["v"] for row in charts.spec["data"]["values"]] == [0.75, 0.25, 0]
    assert "Together 3.7 GiB" in (image(shown).description or "")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"range": "0h"}, "range"),
        ({"range": "24"}, "range"),
        ({"range": "1h", "step": "2h"}, "step must not be longer"),
        ({"minimum": 5, "maximum": 5}, "maximum must be greater"),
        ({"series": []}, "series"),
        ({"kind": "pie"}, "kind"),
        ({"series": [{**CPU, "color": "red"}]}, "color"),
        ({"theme": "pink"}, "theme"),
    ],
)
def test_a_wrong_config_is_refused_by_name(config: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidConfigError, match=words):
        chart(**config)


def test_what_cannot_be_had_or_drawn_is_an_error_with_its_reason() -> None:
    with pytest.raises(UnknownSourceError):
        component("chart", {"series": [{"source": "gone", "metric": "x"}]}).render(drawing_context())
    with pytest.raises(ChartFailedError, match="broken"):
        chart().render(drawing_context(MemoryHistories(cpu=[series(1)]), MemoryCharts("broken")))


def test_charts_of_one_component_keep_their_place_whatever_others_do() -> None:
    charts = MemoryCharts()
    context = drawing_context(MemoryHistories(cpu=[series(1)]), charts)
    for component_id in (7, 8, 7):
        context.begin(component_id)
        chart().render(context)
    assert charts.slots == ["3//7/1", "3//8/1", "3//7/1"]


WORTH_TRYING = {
    "source": st.just("lab"),
    "metric": st.sampled_from(["cpu", "cpu", "cpu", "many", "odd", "empty", "waiting"]),
    "labels": st.sampled_from([{}, {"core": "1"}]),
    "label": st.sampled_from(["", "CPU", HOSTILE, "漢" * 80]),
    "color": st.sampled_from(["", "#ff0000"]),
    "range": st.sampled_from(["30m", "24h", "7d", "9999w"]),
    "step": st.sampled_from([None, "1m", "1h"]),
    "minimum": st.sampled_from([None, 0, -1e15]),
    "maximum": st.sampled_from([None, 100, 1e15]),
    "unit": st.sampled_from(["", "bytes", "seconds", "odd \\ unit"]),
    "title": st.sampled_from(["", "Load", HOSTILE, "{{ dashboard.name }}"]),
}
ROWS = {
    "cpu": [series(*MANY)],
    "many": [series(*MANY[number:], unit="bytes", labels={"core": f"{number}{HOSTILE}"}) for number in range(25)],
    "odd": [series(1.7e308, -1.7e308, None, float("nan"), 1e-320, 0.0, unit=HOSTILE)],
    "empty": [series(None, None)],
}
READINGS = metrics(
    Metric("cpu", 42.0, "percent"),
    Metric("many", 1e300, "bytes", {"core": "1"}),
    Metric("many", -1.0, "bytes", {"core": HOSTILE}),
    Metric("odd", 1e-320, HOSTILE),
)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_schema_accepts_makes_valid_blocks(data: st.DataObject) -> None:
    _drawn(data)


def test_whatever_the_schema_accepts_can_be_drawn() -> None:
    """The same with the real thing, for fewer examples."""
    specifications: dict[str, str] = {}

    @given(data=st.data())
    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def collect(data: st.DataObject) -> None:
        for request in _drawn(data).requests:
            specifications[request.digest] = request.specification

    async def draw() -> None:
        renderer = ChartRenderer(timeout_seconds=60)
        try:
            for specification in list(specifications.values())[:40]:
                assert len(await renderer.render(specification)) < 2**20
        finally:
            await renderer.close()

    collect()
    assert len(specifications) > 5
    asyncio.run(draw())


def _drawn(data: st.DataObject) -> MemoryCharts:
    schema = component_types["chart"].model_json_schema()
    config = data.draw(instances(schema, WORTH_TRYING))
    if data.draw(st.integers(0, 7)):
        config |= {"step": None, "minimum": None, "thresholds": {"warning": 60}}
        for number, one in enumerate(config["series"]):
            one |= {"source": "lab", "metric": ["cpu", "many", "odd"][number % 3], "labels": {}}
    jsonschema.validate(config, schema)
    charts = MemoryCharts()
    try:
        blocks = component("chart", config).render(drawing_context(MemoryHistories(**ROWS), charts, lab=READINGS))
    except HomelabError:
        return charts
    assert_fits_discord(View(blocks))
    for request in charts.requests:
        json.loads(request.specification, parse_constant=pytest.fail)
        assert len(request.specification) < 500_000
    return charts

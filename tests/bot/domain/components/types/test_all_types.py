"""What holds for every component type: it describes itself, and whatever its schema accepts fits a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.blocks.block import View
from app.bot.domain.blocks.splitting import split
from app.bot.domain.components.component import component_types
from app.bot.domain.components.fields import ConditionMark, TemplateMark, marked_fields
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.domain.readings.reading import Metric, Reading
from tests.support.json_schemas import instances
from tests.support.rendering import NOW, TEMPLATES, assert_fits_discord, component, context, down, metrics, store, text

TYPES = list(component_types)
CONSIST_OF_OTHERS = ("container", "group", "repeat")

ROW = {"name": "web_1", "status": "running", "cpu": 12.5, "memory": 3 * 2**30, "net": {"ip": "10.0.0.2"}, "odd": ["*"]}
LONG_ROW = {"name": "漢字👩‍👩‍👧 ``` **bold** @everyone\n" * 20, "status": "?", "cpu": None, "memory": -1e300}

TEMPLATE_TEXTS = st.sampled_from(
    [
        "{{ metric('lab', 'cpu') }}",
        "{{ dashboard.name }} **x**",
        "{{ message('down') }}",
        "{{ 'x_' * 3000 }}",
        "{% for r in items('lab', 'rows') %}{{ r }}\n{% endfor %}",
        "```\n{{ 'y' * 3900 }}",
        "  ",
    ]
)
ADDRESSES = st.sampled_from(
    [
        "https://example.org/a.png",
        "http://nas:8080/",
        "http://10.0.0.2/{{ dashboard.name }}",
        "https://e.org/" + "a" * 480,
        "https://[::1]/",
    ]
)
CHILDREN = st.sampled_from(
    [
        {"type": "text", "config": {"text": "{{ item.name }} ${item.cpu} {{ dashboard.name }}"}},
        {"type": "text", "config": {"text": "${item}"}, "visible_when": "item.cpu > 1.0"},
        {"type": "buttons", "config": {"buttons": [{"label": "Again"}]}},
        {"type": "page_select", "config": {"options": [{"page": "two"}]}},
        {"type": "metric", "config": {"source": "lab", "metric": "cpu"}, "visible_when": "metric('lab', 'cpu') > 1.0"},
        {"type": "section", "config": {"texts": ["${item.name}"], "button": {"label": "Again"}}},
        {"type": "repeat", "config": {"values": [1, 2], "children": [{"type": "text", "config": {"text": "${item}"}}]}},
        {"type": "container", "config": {"children": [{"type": "separator", "config": {}}], "accent": "status"}},
        {"type": "group", "config": {"children": [{"type": "gone"}], "visible_when": "what("}},
        {"type": "text", "config": {"text": "${nothing}"}},
    ]
)
WORTH_TRYING = {
    "children": st.lists(CHILDREN, min_size=1, max_size=4),
    "otherwise": st.lists(CHILDREN, max_size=2),
    "variable": st.sampled_from(["", "gone"]),
    "visible_when": st.sampled_from(["", "true", "status('lab') == 'up'", "1", "what("]),
    "texts": st.lists(TEMPLATE_TEXTS, min_size=1, max_size=3),
    "source": st.sampled_from(["lab", "lab", "lab", "down", "waiting"]),
    "metric": st.sampled_from(["cpu", "huge", "tiny", "gone"]),
    "maximum_metric": st.sampled_from(["", "cpu", "huge", "gone"]),
    "minimum": st.sampled_from([0, -100, 50.5]),
    "maximum": st.sampled_from([None, 100, 1e15]),
    "each": st.sampled_from(["", "core"]),
    "items": st.sampled_from(["rows", "none", ""]),
    "field": st.sampled_from(["name", "cpu", "net.ip", "odd.0", "memory"]),
    "name_field": st.just("name"),
    "detail_field": st.sampled_from(["", "cpu", "name"]),
    "sort_by": st.sampled_from(["", "cpu", "name", "odd"]),
    "where": st.sampled_from([{}, {"status": "running"}]),
    "labels": st.sampled_from([{}, {"core": "1"}]),
    "emoji": st.sampled_from(["", "🔄", "<:docker:123456789012345678>"]),
    "label": st.sampled_from(["CPU", "", "*" * 80, "漢" * 40]),
    "text": TEMPLATE_TEXTS,
    "title": TEMPLATE_TEXTS,
    "detail": TEMPLATE_TEXTS,
    "url": ADDRESSES,
    "page": st.sampled_from(["one", "two", "three"]),
    "do": st.sampled_from(["refresh", "action"]),
    "action": st.sampled_from(["", "restart", "wake up", "x" * 64]),
}


def readings() -> ReadingStore:
    values = [Metric("cpu", 42.0, "percent"), Metric("huge", 1.7e308, "bytes"), Metric("tiny", -1.7e308, "odd *unit*")]
    cores = [Metric("cpu", float(core), "percent", {"core": str(core)}) for core in range(64)]
    history = [metrics(Metric("cpu", value), *values[1:]) for value in (1.0, None, -1e308, 1e308, 3.0)]
    full = metrics(*values, *cores, Metric("gone", None, "seconds"), rows=[ROW, LONG_ROW] * 40)
    return store(lab=[*history, full], down=down("refused *hard*\n" * 50), waiting=None)


READINGS = readings()


def configs(type_name: str) -> st.SearchStrategy[Any]:
    """Configs that the type's schema accepts; most of them also hold the rules that no schema can say."""
    any_config = instances(component_types[type_name].model_json_schema(), WORTH_TRYING)
    return st.integers(0, 7).flatmap(lambda draw: any_config.map(_ruled(type_name)) if draw else any_config)


def _ruled(type_name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return {
        "buttons": _ruled_buttons,
        "countdown": _ruled_countdowns,
        "gallery": _ruled_galleries,
        "key_value": _ruled_pairs,
        "page_select": _ruled_pages,
        "repeat": _ruled_repetitions,
        "section": _ruled_sections,
        "service_grid": _ruled_statuses,
        "status_list": _ruled_statuses,
        "top_list": _ruled_tops,
    }.get(type_name, lambda config: config)


def _ruled_countdowns(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("at"):
        return config | {"at": "2027-01-01", "source": "", "metric": ""}
    return config | {"at": "", "source": "lab", "metric": "cpu"}


def _ruled_galleries(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("images"):
        return config | {"source": "", "items": ""}
    return config | {"images": [], "source": "lab", "items": "rows", "url_field": "name"}


def _ruled_tops(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("metric"):
        return config | {"items": "", "value_field": ""}
    return config | {"items": "rows", "value_field": "cpu", "metric": ""}


def _ruled_buttons(config: dict[str, Any]) -> dict[str, Any]:
    refresh, *actions = config["buttons"]
    refresh |= {"do": "refresh", "action": ""}
    for number, button in enumerate(actions):
        button |= {"do": "action", "action": f"{number:x>64}"}
    return config


def _ruled_pairs(config: dict[str, Any]) -> dict[str, Any]:
    for number, pair in enumerate(config["pairs"]):
        if number % 2:
            pair |= {"source": "", "metric": "", "text": pair.get("text") or "x", "label": pair.get("label") or "y"}
        else:
            pair |= {"source": "lab", "metric": "cpu", "text": ""}
    return config


def _ruled_pages(config: dict[str, Any]) -> dict[str, Any]:
    for number, option in enumerate(config["options"]):
        option["page"] = f"{number} {option['page']}"[:100]
    return config


def _ruled_repetitions(config: dict[str, Any]) -> dict[str, Any]:
    where = {"where": ""} if len(config.get("where", "")) % 2 else {"where": "item.cpu > 1.0"}
    if config.get("values"):
        return config | {"source": "", "items": "", "variable": "", "as": "item", "where": ""}
    return config | {"source": "lab", "items": "rows", "variable": "", "as": "item"} | where


def _ruled_sections(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("button"):
        config["button"] |= {"do": "open", "url": "https://example.org/"}
        return config | {"thumbnail": None}
    return config


def _ruled_statuses(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("entries"):
        return config | {"source": "", "items": ""}
    return config | {"source": "lab", "items": "rows"}


@pytest.mark.parametrize("type_name", TYPES)
def test_every_field_is_described(type_name: str) -> None:
    schema = component_types[type_name].model_json_schema()
    assert schema["description"]
    models = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
    missing = [name for model in models for name, field in model["properties"].items() if not field.get("description")]
    assert not missing


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize(("word", "mark"), [("Jinja2", TemplateMark), ("CEL", ConditionMark)])
def test_what_is_run_is_marked(type_name: str, word: str, mark: type[TemplateMark | ConditionMark]) -> None:
    """Data is escaped in marked fields only; one that is not marked would take a container's name for a template."""
    schema = component_types[type_name].model_json_schema()
    models = [schema, *(part for part in schema.get("$defs", {}).values() if "properties" in part)]
    said = {name for model in models for name, part in model["properties"].items() if word in part["description"]}
    assert said - marked_fields(component_types[type_name], mark) - {"visible_when"} == set()


@pytest.mark.parametrize("type_name", TYPES)
def test_the_schema_is_valid(type_name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(component_types[type_name].model_json_schema())


@pytest.mark.parametrize("type_name", TYPES)
@given(data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_schema_accepts_fits_a_message(type_name: str, data: st.DataObject) -> None:
    config = data.draw(configs(type_name))
    jsonschema.validate(config, component_types[type_name].model_json_schema())
    try:
        blocks = component(type_name, config).render(context(READINGS, page="two"))
    except InvalidConfigError:
        event("refused by name")
        return
    except HomelabError:  # an unknown source or metric, a wrong template
        event("failed by name")
        return
    event("rendered")
    if blocks and type_name in CONSIST_OF_OTHERS:  # these are split over several messages where one cannot hold them
        first, *following = split(blocks, 20)
        assert_fits_discord(View(first, following=tuple(map(View, following))))
    elif blocks:
        assert_fits_discord(View(blocks))


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_dashboard_fits_a_message(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(TYPES).flatmap(lambda name: st.tuples(st.just(name), configs(name)))))
    parts = tuple(
        DashboardComponent(number, 1, name, number, config=config)
        for number, (name, config) in enumerate(chosen * 3, start=1)
    )
    dashboard = Dashboard(1, 1, "Lab", layout={"accent": "status"}, components=parts)
    assert_fits_discord(DashboardBuilder(ComponentFactory(component_types), READINGS, TEMPLATES).build(dashboard, NOW))


@pytest.mark.parametrize(
    ("type_name", "config"),
    [
        ("metric", {"source": "a", "metric": "m"}),
        ("gauge", {"source": "a", "metric": "m"}),
        ("sparkline", {"source": "a", "metric": "m"}),
        ("key_value", {"pairs": [{"source": "a", "metric": "m"}]}),
        ("text", {"text": "{{ metric('a', 'm') }}"}),
        ("heading", {"text": "{{ metric('a', 'm').value }}"}),
    ],
)
@pytest.mark.parametrize("reading", [None, down(), metrics(Metric("m", None, "bytes"))])
def test_a_missing_value_shows_as_missing_not_as_zero(
    type_name: str, config: dict[str, Any], reading: Reading | None
) -> None:
    shown = text(type_name, config, a=reading)
    assert "no data" in shown
    assert "0" not in shown

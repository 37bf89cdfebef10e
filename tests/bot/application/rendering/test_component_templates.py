"""Component templates: component types that are rows."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.blocks.block import Block, Problem, Text
from app.bot.domain.components.component import MAX_NESTING, component_types
from app.bot.domain.components.component_templates import ComponentTemplate, find_cycle, nested_types, with_defaults
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.errors import InvalidConfigError, UnknownTypeError
from app.bot.domain.readings.reading import Metric
from app.shared.expressions import CelExpressions
from tests.support.rendering import NOW, TEMPLATES, metrics, store

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "source": {"type": "string", "minLength": 1},
        "metric": {"type": "string", "default": "load"},
        "limit": {"type": "integer", "minimum": 1, "default": 3},
    },
    "required": ["source"],
    "additionalProperties": False,
}
VALUE = {
    "type": "text",
    "config": {"text": "${params.source} {{ metric(params.source, params.metric) }} of {{ params.limit }}"},
}


def template(name: str, *components: Any, schema: dict[str, Any] | None = None, **more: Any) -> ComponentTemplate:
    return ComponentTemplate(
        name, config_schema=SCHEMA if schema is None else schema, definition={"components": list(components)}, **more
    )


def within(name: str, /, **config: Any) -> dict[str, Any]:
    return {"type": name, "config": config}


def dashboard(*parts: tuple[str, dict[str, Any]]) -> Dashboard:
    components = tuple(
        DashboardComponent(number, 1, type_name, number, config=config)
        for number, (type_name, config) in enumerate(parts, start=1)
    )
    return Dashboard(1, 1, "Lab", layout={"frame": False, "footer": False}, components=components)


def builder(*templates: ComponentTemplate, readings: ReadingStore | None = None) -> DashboardBuilder:
    factory = ComponentFactory(component_types, templates)
    return DashboardBuilder(factory, readings or store(), TEMPLATES, expressions=CelExpressions())


def shown(*templates: ComponentTemplate, config: dict[str, Any], name: str = "card") -> tuple[Block, ...]:
    readings = store(nas=metrics(Metric("load", 0.5), Metric("temp", 40.0)))
    return builder(*templates, readings=readings).build(dashboard((name, config)), NOW).blocks


def test_parameters_and_their_defaults() -> None:
    assert shown(template("card", VALUE), config={"source": "nas"}) == (Text("nas 0.50 of 3"),)
    assert shown(template("card", VALUE), config={"source": "nas", "metric": "temp", "limit": 9}) == (
        Text("nas 40 of 9"),
    )


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "source: is missing"),
        ({"source": "nas", "limit": 0}, "limit: must be at least 1"),
        ({"source": "nas", "limt": 1}, "limt: no such setting; known settings: limit, metric, source"),
        ({"source": 3}, "source: must be text"),
    ],
)
def test_wrong_parameters_are_named(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidConfigError) as raised:
        ComponentFactory(component_types, [template("card", VALUE)]).make("card", config)
    assert str(raised.value) == f"Config of “card”: {problem}"


@pytest.mark.parametrize(
    "broken",
    [
        ComponentTemplate("card"),
        ComponentTemplate("card", definition=[]),
        ComponentTemplate("card", definition={"components": []}),
        ComponentTemplate("card", definition={"components": [{"typ": "text"}]}),
        ComponentTemplate("card", definition={"components": [VALUE], "more": 1}),
        template("card", VALUE, schema={"type": "nothing"}),
        template("card", VALUE, schema={"$ref": "https://example.org/schema"}),
        template("card", VALUE, schema={"$ref": "#"}),
        template("card", VALUE, schema={"properties": 3}),
    ],
)
def test_an_invalid_row_breaks_its_components_and_nothing_else(broken: ComponentTemplate) -> None:
    fine = template("fine", within("text", text="fine"), schema={})
    view = builder(broken, fine).build(dashboard(("card", {"source": "nas"}), ("fine", {})), NOW)
    problem, text = view.blocks
    assert isinstance(problem, Problem)
    assert text == Text("fine")


def test_an_expression_that_never_ends_is_not_run() -> None:
    endless = {"type": "object", "properties": {"name": {"type": "string", "pattern": "^(a+)+$"}}}
    card = template("card", within("text", text="{{ params.name }}"), schema=endless)
    assert shown(card, config={"name": "a" * 60 + "!"}) == (Text("a" * 60 + "!"),)


def test_a_builtin_type_cannot_be_replaced() -> None:
    imposter = template("text", within("heading", text="no"), schema={})
    assert shown(imposter, config={"text": "yes"}, name="text") == (Text("yes"),)


def test_an_unknown_type_is_named_beside_those_that_are_known() -> None:
    with pytest.raises(UnknownTypeError, match=r"Unknown component type “crad”. Known: .*buttons, calendar, card,"):
        ComponentFactory(component_types, [template("card", VALUE)]).make("crad", {})


def test_component_templates_within_one_another() -> None:
    inner = template("inner", VALUE)
    outer = template("outer", within("inner", source="${params.source}", limit="${params.limit}"))
    assert shown(inner, outer, config={"source": "nas", "limit": 7}, name="outer") == (Text("nas 0.50 of 7"),)


def test_data_that_goes_through_parameters_is_still_text() -> None:
    inner = template("inner", within("text", text="${params.name}"), schema={})
    outer = within("repeat", values=[{"name": "{{ 1 + 1 }} *x*"}], children=[within("inner", name="${item.name}")])
    (block,) = shown(inner, template("card", outer, schema={}), config={})
    assert isinstance(block, Text)
    assert "2" not in block.text
    assert r"\*x\*" in block.text


def test_a_type_within_itself_ends() -> None:
    again = template("again", within("text", text="x"), within("again"), schema={})
    *texts, problem = shown(again, config={}, name="again")
    assert texts == [Text("x")] * MAX_NESTING
    assert isinstance(problem, Problem)


def test_two_types_within_each_other_many_times_end() -> None:
    """Each level multiplies: without a bound on their number this would take years."""
    first = template("first", *[within("second")] * 40, schema={})
    second = template("second", *[within("first")] * 40, schema={})
    (problem,) = shown(first, second, config={}, name="first")
    assert isinstance(problem, Problem)


def test_sources_of_a_component() -> None:
    inner = template("inner", VALUE, within("metric", source="fixed", metric="x"))
    outer = template(
        "outer",
        within("group", children=[within("inner", source="${params.source}")], visible_when="status('seen') == 'up'"),
    )
    factory = ComponentFactory(component_types, [inner, outer])
    assert factory.make("outer", {"source": "nas"}).sources() == {"nas", "fixed", "seen"}


def test_sources_that_only_a_build_can_know() -> None:
    item = within("text", text="{{ metric(item.source, 'load') }}")
    card = template("card", within("repeat", source="list", items="rows", children=[item]), schema={})
    readings = store(list=metrics(rows=[{"source": "nas"}, {"source": "gone"}]), nas=metrics(Metric("load", 1.0)))
    made, board = builder(card, readings=readings), dashboard(("card", {}))
    assert made.sources_of(board) == {"list"}
    made.build(board, NOW)
    assert made.sources_of(board) == {"list", "nas", "gone"}


def test_a_changed_type_is_shown_at_the_next_build() -> None:
    old, new = (template("inner", within("text", text=text), schema={}) for text in ("old", "new"))
    outer = template("outer", within("inner"), schema={})
    made, board = builder(old, outer), dashboard(("outer", {}), ("inner", {}))
    assert made.build(board, NOW).blocks == (Text("old"), Text("old"))
    assert made.use_types([old, outer]) == frozenset()
    assert made.use_types([new, outer]) == {"inner"}
    assert made.build(board, NOW).blocks == (Text("new"), Text("new"))
    assert made.use_types([outer]) == {"inner"}
    assert all(isinstance(block, Problem) for block in made.build(board, NOW).blocks)
    assert made.types_of(board) >= {"outer", "inner"}, "it is built again when the type comes back"
    assert made.use_types([new, outer]) == {"inner"}
    assert made.build(board, NOW).blocks == (Text("new"), Text("new"))


def test_equal_components_are_made_once() -> None:
    factory = ComponentFactory(component_types, [template("card", VALUE)])
    assert factory.make("card", {"source": "nas"}) is factory.make("card", {"source": "nas"})


def test_defaults_at_any_depth() -> None:
    schema = {
        "properties": {
            "list": {"items": {"$ref": "#/$defs/entry"}},
            "group": {"properties": {"a": {"default": 1}}, "default": {}},
            "shared": {"default": [1]},
        },
        "$defs": {"entry": {"properties": {"b": {"default": 2}}}},
    }
    filled = with_defaults(schema, {"list": [{}, {"b": 3}, 4]})
    assert filled == {"list": [{"b": 2}, {"b": 3}, 4], "group": {"a": 1}, "shared": [1]}
    filled["shared"].append(2)
    assert with_defaults(schema, {})["shared"] == [1], "a default belongs to nobody"


def test_types_in_a_definition() -> None:
    definition = {"components": [within("group", children=[within("a")], otherwise=[{"type": "b"}]), within("c")]}
    assert nested_types(definition) == {"group", "a", "b", "c"}


@pytest.mark.parametrize(
    ("uses", "cycle"),
    [
        ({"a": {"text"}}, None),
        ({"a": {"b"}, "b": {"text"}, "c": {"c"}}, None),
        ({"a": {"a"}}, ("a", "a")),
        ({"a": {"b", "text"}, "b": {"c"}, "c": {"a"}}, ("a", "b", "c", "a")),
        ({"a": {"b", "c"}, "b": {"c"}, "c": {"b", "d"}, "d": {"a"}}, ("a", "c", "d", "a")),
    ],
)
def test_cycles(uses: dict[str, set[str]], cycle: tuple[str, ...] | None) -> None:
    assert find_cycle("a", {name: frozenset(used) for name, used in uses.items()}) == cycle

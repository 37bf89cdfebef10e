"""Component templates before they are saved."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.components.types import component_types
from app.definitions.component_templates import ComponentTemplateChecks, StoredType

CHECKS = ComponentTemplateChecks(dict(component_types.items()))
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"source": {"type": "string"}, "limit": {"type": "integer", "default": 3}, "any": {}},
    "required": ["source"],
    "additionalProperties": False,
}


def part(type_name: str, /, **config: Any) -> dict[str, Any]:
    return {"type": type_name, "config": config}


def errors(*components: Any, schema: dict[str, Any] | None = None, name: str = "card", **others: Any) -> list[str]:
    stored = [StoredType(other, SCHEMA, {"components": body}) for other, body in others.items()]
    schema = SCHEMA if schema is None else schema
    return [str(error) for error in CHECKS.type_errors(name, schema, {"components": list(components)}, stored)]


TEXT = part("text", text="${params.source} {{ metric(params.source, 'x') }}")
FINE = [
    TEXT,
    part("metric", source="${params.source}", metric="cpu.${params.any}"),
    part("table", source="a", items="b", columns=[{"field": "${params.any}"}], limit="${params.limit}"),
    part("text", text="x", style="${params.any}"),
    {**TEXT, "visible_when": "metric(params.source, 'x') > 1.0"},
    part("repeat", source="a", items="b", children=[part("text", text="${item.name} ${params.source}")]),
    part("repeat", values="${params.any}", **{"as": "port"}, children=[part("text", text="${port}")]),
    part("group", visible_when="true", children=[part("other", source="x", limit="${params.limit}")]),
    part("links", links=[{"label": "Open", "url": "http://${params.source}.lan/"}]),
    part("text", text="${secret:x} ${dashboard.name} ${variables.host}"),
]


@pytest.mark.parametrize("component", FINE)
def test_what_is_fine(component: dict[str, Any]) -> None:
    assert errors(component, other=[TEXT]) == []


@pytest.mark.parametrize(
    ("component", "error"),
    [
        (
            part("txt", text="x"),
            "definition.components.0.type: there is no type “txt”; did you mean “text”",
        ),
        (part("text"), "definition.components.0.config.text: field required"),
        (part("text", text="x", sise="${params.any}"), "definition.components.0.config.sise: no such setting"),
        (part("text", text="x", style="huge"), "definition.components.0.config.style: input should be 'normal',"),
        (
            part("text", text="${params.sorce}"),
            "${params.sorce}: there is no parameter “sorce”. Parameters: any,",
        ),
        (part("text", text="${item.name}"), "${item.name}: “item” is not known here. Known: ${dashboard}, ${params}"),
        (part("text", text="{{ x "), "definition.components.0.config.text: is no Jinja2 template: line 1:"),
        (part("text", text="{{ x | nope }}"), "No filter named 'nope'"),
        ({**TEXT, "visible_when": "what("}, "definition.components.0.visible_when: is no condition in CEL"),
        (part("group", visible_when="1 +", children=[TEXT]), "config.visible_when: is no condition in CEL"),
        (part("group", children=[part("gone")]), "definition.components.0.config.children.0.type: there is no type"),
        (
            part("group", children=[part("group", children=[TEXT], otherwise=[part("text", text="{% if %}")])]),
            "definition.components.0.config.children.0.config.otherwise.0.config.text: is no Jinja2 template",
        ),
        (part("other"), "definition.components.0.config.source: is missing"),
        (part("other", source="x", limit="many"), "definition.components.0.config.limit: must be a whole number"),
        (part("other", source="x", sorce="${params.source}"), "config.sorce: no such setting; known settings: any,"),
        ({"typ": "text"}, "definition.components.0.type: field required"),
        ({**TEXT, "more": 1}, "definition.components.0.more: no such setting"),
        (part("repeat", source="a", children=[TEXT]), "source and items belong together"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(component: dict[str, Any], error: str) -> None:
    found = errors(component, other=[TEXT])
    assert any(error.casefold() in one.casefold() for one in found), found


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        ({"type": "array"}, "config_schema.type: must be object"),
        ({"type": "nothing"}, "config_schema: is no JSON Schema at type"),
        (
            {"properties": {"a": {"type": "integer", "default": "x"}}},
            "config_schema.properties.a.default: must be a whole",
        ),
        (
            {"properties": {"a": {"type": "string", "pattern": "("}}},
            "config_schema: is no JSON Schema at properties.a.pattern",
        ),
        ({"properties": {"a": {"$ref": "https://example.org/"}}}, "config_schema.properties.a.$ref: must name a part"),
    ],
)
def test_wrong_parameters(schema: dict[str, Any], error: str) -> None:
    (found,) = errors(part("text", text="x"), schema=schema)
    assert found.startswith(error)


def test_a_type_of_the_program_keeps_its_name() -> None:
    assert errors(TEXT, name="gauge") == ["name: is the name of a type that comes with the program; choose another"]


def test_a_definition_without_components() -> None:
    for definition in ({}, {"components": []}, {"components": [TEXT], "more": 1}):
        assert CHECKS.type_errors("card", SCHEMA, definition, [])


def test_a_cycle_is_named() -> None:
    assert errors(part("card", source="x")) == ["definition: the type would contain itself: card → card"]
    nested = part("group", children=[part("b", source="x")])
    found = errors(
        nested, b=[part("c", source="x")], c=[part("repeat", values=[1], children=[part("card", source="x")])]
    )
    assert found == ["definition: the type would contain itself: card → b → c → card"]


def test_components_nested_in_one_of_a_dashboard() -> None:
    config = {"values": [1], "children": [part("text", text="${item} ${params.x}"), part("gone")]}
    found = [str(error) for error in CHECKS.nested_errors("repeat", config, [])]
    assert len(found) == 2
    assert found[0].startswith("config.children.0.config: ${params.x}: “params” is not known here")
    assert found[1].startswith("config.children.1.type: there is no type “gone”")

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator

from app.bot.domain.components.types import component_types
from app.definitions.form_schema import form_schema


@pytest.mark.parametrize("name", list(component_types))
def test_every_builtin_type_becomes_a_schema_without_references(name: str) -> None:
    made = form_schema(component_types[name].model_json_schema())
    assert "$ref" not in str(made)
    assert "$defs" not in str(made)
    Draft202012Validator.check_schema(made)


def test_an_optional_number_is_a_number_that_may_stay_away() -> None:
    made = form_schema(component_types["metric"].model_json_schema())
    decimals = made["properties"]["decimals"]
    assert (decimals["type"], decimals["minimum"], decimals["maximum"]) == ("integer", 0, 6)
    assert "anyOf" not in decimals
    assert "default" not in decimals


def test_names_that_are_known_are_offered_and_long_texts_get_room() -> None:
    properties = form_schema(component_types["metric"].model_json_schema())["properties"]
    assert properties["source"]["options"]["inputAttributes"]["list"] == "known-source"
    assert properties["metric"]["options"]["inputAttributes"]["list"] == "known-metric"
    assert properties["detail"]["format"] == "textarea"


def test_what_must_be_set_comes_first_and_what_is_large_last() -> None:
    properties = form_schema(component_types["metric"].model_json_schema())["properties"]
    ranks = [properties[name]["propertyOrder"] for name in ("source", "label", "large", "thresholds")]
    assert ranks == sorted(set(ranks))


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"$ref": "#/$defs/Node", "$defs": {"Node": {"properties": {"child": {"$ref": "#/$defs/Node"}}}}}
    assert "child" in form_schema(tree)["properties"]


def test_of_several_forms_all_stay() -> None:
    made = form_schema(
        {"properties": {"value": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}}}
    )
    assert [option["type"] for option in made["properties"]["value"]["anyOf"]] == ["string", "integer"]


def test_names_of_classes_do_not_show() -> None:
    buttons = form_schema(component_types["buttons"].model_json_schema())["properties"]["buttons"]
    assert buttons["items"]["title"] == "button"
    assert buttons["items"]["properties"]["style"]["title"] == "Style"
    assert "ButtonConfig" not in str(buttons)


def test_patterns_match_the_whole_text_as_fields_of_browsers_want_it() -> None:
    properties = form_schema(component_types["buttons"].model_json_schema())["properties"]["buttons"]["items"]
    label = properties["properties"]["label"]["pattern"]
    assert re.fullmatch(label, "Read now")
    assert not re.fullmatch(label, "  ")
    accent = form_schema(component_types["container"].model_json_schema())["properties"]["accent"]["pattern"]
    assert accent == r"^(#[0-9A-Fa-f]{6}|status)$"

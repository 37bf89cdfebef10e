from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.components.types import component_types
from app.definitions.config_schema import config_errors
from app.definitions.errors import FieldError
from app.shared.kit.json_schema import schema_problem

METRIC = component_types["metric"].model_json_schema()
OBJECT = {"type": "object"}
TEXT = {"type": "string"}
GOOD = {"source": "host", "metric": "cpu"}
UNION = {
    "properties": {
        "auth": {
            "anyOf": [
                {**OBJECT, "properties": {"kind": {"const": "basic"}, "user": TEXT}, "required": ["user"]},
                {**OBJECT, "properties": {"kind": {"const": "bearer"}, "token": TEXT}, "required": ["token"]},
                {"type": "null"},
            ]
        },
        "size": {"anyOf": [{"type": "integer", "maximum": 3}, {"type": "null"}]},
        "either": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "field", "message"),
    [
        ({"metric": "cpu"}, "config.source", "is missing"),
        ({"source": "host", "metric": 5}, "config.metric", "must be text"),
        ({"source": "", "metric": "cpu"}, "config.source", "must not be empty"),
        ({"source": "host", "metric": "cpu", "decimals": 99}, "config.decimals", "must be at most 6"),
        ({"source": "host", "metric": "cpu", "decimals": "two"}, "config.decimals", "must be a whole number or empty"),
        ({**GOOD, "thresholds": {"below": 1}}, "config.thresholds.below", "must be true or false"),
        ({"source": "host", "metric": "cpu", "labels": {"mount": 1}}, "config.labels.mount", "must be text"),
        ([], "config", "must be a group of settings (an object)"),
    ],
)  # fmt: skip
def test_an_error_names_the_field(config: Any, field: str, message: str) -> None:
    assert FieldError(field, message) in config_errors(METRIC, config)


def test_an_unknown_setting_is_named_with_those_that_there_are() -> None:
    (error,) = config_errors(METRIC, {"source": "host", "metric": "cpu", "colour": "red"})
    assert error.field == "config.colour"
    assert error.message.startswith("no such setting; known settings: decimals, detail, label")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"auth": {"kind": "bearer"}}, [FieldError("config.auth.token", "is missing")]),
        ({"auth": {"kind": "basic", "user": 5}}, [FieldError("config.auth.user", "must be text")]),
        ({"auth": "me"}, [FieldError("config.auth", "must be a group of settings (an object) or empty")]),
        ({"size": 9}, [FieldError("config.size", "must be at most 3")]),
        ({"either": 1}, [FieldError("config.either", "must be text or true or false")]),
        ({"auth": None, "size": 3, "either": True}, []),
    ],
)
def test_of_several_forms_the_one_that_was_meant_is_explained(config: Any, expected: list[FieldError]) -> None:
    assert config_errors(UNION, config) == expected


def test_all_errors_are_told_at_once() -> None:
    errors = config_errors(METRIC, {"decimals": -1, "large": "yes"})
    assert {error.field for error in errors} == {"config.source", "config.metric", "config.decimals", "config.large"}


def test_a_rejected_value_is_never_quoted() -> None:
    schema = {"properties": {"password": {"type": "string", "pattern": "^x", "maxLength": 3}}}
    assert "hunter2" not in str(config_errors(schema, {"password": "hunter2"}))


def test_a_broken_schema_is_an_error_of_the_type() -> None:
    (error,) = config_errors({"type": "nonsense"}, {})
    assert error.field == "type"
    assert "is no JSON Schema at type" in error.message
    assert schema_problem(METRIC) is None


def test_good_configs_pass() -> None:
    assert config_errors(METRIC, {"source": "host", "metric": "cpu", "decimals": None}) == []
    assert config_errors({}, {"anything": 1}) == []

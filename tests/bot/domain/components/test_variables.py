"""Variables: their options, what is chosen, and the value that follows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.bot.domain.components.variables import ALL, Choices, Variable, resolve, uses_variables
from app.bot.domain.dashboards.dashboard import Layout
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import context, down, metrics, store

ROWS = [
    {"name": "web", "id": 1, "state": "running"},
    {"name": "db", "id": 2, "state": "exited"},
    {"name": "web", "id": 3, "state": "running"},
    {"id": 4},
]
READINGS = store(
    docker=metrics(Metric("disk", 1, labels={"mount": "/"}), Metric("disk", 2, labels={"mount": "/data"}), rows=ROWS),
    gone=down(),
)


def value_of(choices: Choices | None = None, **fields: Any) -> Any:
    variable = Variable.model_validate({"name": "host", **fields})
    return resolve(variable, choices or {}, context(READINGS)).value


def options_of(**fields: Any) -> list[tuple[str, str]]:
    variable = Variable.model_validate({"name": "host", **fields})
    return [(option.text, option.label) for option in resolve(variable, {}, context(READINGS)).options]


LISTED = {"type": "list", "values": ["a", 2, {"value": 3.5, "label": "Three"}]}
QUERIED = {"type": "query", "source": "docker", "items": "rows"}
OUT = {"type": "query", "source": "gone", "items": "rows"}


@pytest.mark.parametrize(
    ("fields", "chosen", "value"),
    [
        ({"type": "constant", "value": {"a": 1}}, ["x"], {"a": 1}),
        (LISTED, None, "a"),
        (LISTED, ["2"], 2),
        (LISTED, ["3.5"], 3.5),
        (LISTED, ["gone"], "a"),
        (LISTED, ["2", "a"], 2),
        (LISTED, [ALL], "a"),
        ({**LISTED, "default": 2}, None, 2),
        ({**LISTED, "default": "gone"}, None, "a"),
        ({**LISTED, "all_option": True}, None, ["a", 2, 3.5]),
        ({**LISTED, "all_option": True}, ["2"], 2),
        ({**LISTED, "all_option": True, "default": "a"}, [ALL], ["a", 2, 3.5]),
        ({**LISTED, "multi": True}, None, ["a"]),
        ({**LISTED, "multi": True}, ["2", "a", "gone"], [2, "a"]),
        ({**LISTED, "multi": True, "all_option": True}, ["2", ALL], ["a", 2, 3.5]),
        (QUERIED, None, "web"),
        (QUERIED, ["db"], "db"),
        ({**QUERIED, "value_field": "id"}, ["4"], 4),
        (OUT, None, None),
        (OUT, ["db"], "db"),
        ({**OUT, "default": "web"}, None, "web"),
        ({**OUT, "multi": True}, None, []),
        ({**OUT, "all_option": True}, None, []),
    ],
)
def test_the_value_follows_from_what_is_chosen(fields: dict[str, Any], chosen: list[str] | None, value: Any) -> None:
    assert value_of({} if chosen is None else {"host": chosen}, **fields) == value


def test_options_of_a_list() -> None:
    assert options_of(**LISTED) == [("a", "a"), ("2", "2"), ("3.5", "Three")]


def test_options_of_items_come_once_and_under_a_condition() -> None:
    assert options_of(**QUERIED) == [("web", "web"), ("db", "db")]
    assert options_of(**QUERIED, value_field="id", label_field="name") == [
        ("1", "web"),
        ("2", "db"),
        ("3", "web"),
        ("4", "4"),
    ]
    assert options_of(**QUERIED, where="has(item.state) && item.state == 'exited'") == [("db", "db")]


def test_options_of_a_label_of_a_metric() -> None:
    query = {"type": "query", "source": "docker", "metric": "disk", "metric_label": "mount"}
    assert options_of(**query) == [("/", "/"), ("/data", "/data")]


def test_values_that_no_select_can_carry_are_left_out() -> None:
    rows = [{"name": "x" * 101}, {"name": " "}, {"name": None}, {"name": "fine"}]
    variable = Variable.model_validate({"name": "host", "type": "query", "source": "lab", "items": "rows"})
    resolved = resolve(variable, {}, context(store(lab=metrics(rows=rows))))
    assert [option.text for option in resolved.options] == ["fine"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"type": "constant"}, "value is needed for a constant"),
        ({"type": "list"}, "values are needed for a list"),
        ({"type": "list", "values": ["a"], "source": "x"}, "values are needed for a list"),
        ({"type": "query", "items": "x"}, "source is needed"),
        ({"type": "query", "source": "x"}, "items is needed for a query, or metric"),
        ({"type": "query", "source": "x", "metric": "m"}, "items is needed for a query, or metric"),
        ({**LISTED, "name": "Host"}, "name"),
    ],
)
def test_what_is_incomplete_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Variable.model_validate({"name": "host", **fields})


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValidationError, match="has the name “a” twice"):
        Layout.model_validate({"variables": [{"name": "a", "values": [1]}, {"name": "a", "values": [2]}]})


def test_which_configs_depend_on_variables() -> None:
    assert uses_variables({"source": "${variables.host}"})
    assert uses_variables({"deep": [{"text": "on ${variables.host}!"}]})
    assert not uses_variables({"text": "{{ variables.host }} ${other}"})
    assert not uses_variables({"children": [{"type": "text", "config": {"text": "${variables.host}"}}]})

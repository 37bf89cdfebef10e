"""What the source of an integration takes out of its answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.bot.domain.integrations.definition import SourceDefinition
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.infrastructure.integrations.extraction import Extraction
from app.bot.infrastructure.integrations.numbers import parse_number
from app.shared.expressions import CelExpressions
from app.shared.jmespaths import PathError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANSWERS: dict[str, Any] = {
    "nodes": [
        {"name": "a", "mem": 50, "max": 200, "state": "running", "on": True},
        {"name": "b", "mem": 10, "max": 0, "state": "stopped", "on": False},
    ],
    "system": {"used": 3, "total": 12, "text": "Active connections: 291 \nReading: 6", "since": "2026-11-23T11:59:00Z"},
    "gone": None,
}


def taken(answers: dict[str, Any] | None = None, **definition: Any) -> Reading:
    whole = SourceDefinition.model_validate({"url": "x", "requests": [{"name": "nodes"}], **definition})
    known = ANSWERS if answers is None else answers
    return Extraction(whole, known, {"limit": 5}, CelExpressions(), NOW).reading([])


def metric(**mapping: Any) -> Metric:
    (found,) = taken(metrics=[{"name": "m", **mapping}]).metrics
    return found


def test_paths_and_expressions_become_numbers() -> None:
    reading = taken(
        metrics=[
            {"name": "used", "path": "system.used", "scale": 1024, "unit": "bytes", "kind": "counter"},
            {"name": "total", "path": "system.total", "scale": 1024},
            {"name": "percent", "expression": "metrics['used'] / metrics['total'] * 100.0", "unit": "percent"},
            {"name": "running", "path": "length(nodes[?state=='running'])"},
            {"name": "over", "expression": "answers.system.total > params.limit ? 1.0 : 0.0"},
        ]
    )
    assert reading.metrics[0] == Metric("used", 3072, "bytes", kind=MetricKind.COUNTER)
    assert [one.value for one in reading.metrics] == [3072, 12288, 25, 1, 1]


def test_one_metric_for_each_entry_of_a_list() -> None:
    reading = taken(
        metrics=[
            {
                "name": "memory",
                "for_each": "nodes",
                "expression": "item.mem / item.max * 100.0",
                "label_paths": {"node": "name"},
                "labels": {"site": "home"},
            }
        ]
    )
    assert [(one.value, dict(one.labels)) for one in reading.metrics] == [
        (25, {"site": "home", "node": "a"}),
        (None, {"site": "home", "node": "b"}),
    ]


def test_expressions_add_up_lists_and_mend_texts() -> None:
    assert metric(expression="answers.nodes.map(n, n.mem * 2.0).sum()").value == 120
    assert metric(expression="answers.nodes.filter(n, n.mem > 90.0).map(n, n.mem).sum()").value == 0
    assert metric(expression="answers.nodes.map(n, n.name).sum()").value is None
    reading = taken(
        items=[
            {
                "name": "nodes",
                "path": "nodes[:1]",
                "expressions": {
                    "path": "('/' + item.name + '/').replace('/', '')",
                    "all": "answers.nodes.map(n, n.name).join(' and ')",
                },
            }
        ]
    )
    assert [(row["path"], row["all"]) for row in reading.items["nodes"]] == [("a", "a and b")]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("answers.system.used + answers.nodes[0].mem", 53),
        ("answers['system'].used", 3),
        ("double(size(answers))", 3),
        ("has(answers.gone) && answers.gone == null ? 1.0 : 0.0", 1),
        ("has(answers.never) ? 1.0 : 0.0", 0),
        ("answers.never.a", None),
    ],
)
def test_expressions_see_the_answers_that_they_use(expression: str, value: float | None) -> None:
    assert metric(expression=expression).value == value


def test_a_column_that_divides_by_zero_is_missing() -> None:
    percent = {"percent": "item.mem / item.max * 100.0", "rest": "0.0 / item.max"}
    reading = taken(items=[{"name": "nodes", "path": "nodes", "expressions": percent}])
    assert list(reading.items["nodes"]) == [{"percent": 25, "rest": 0}, {"percent": None, "rest": None}]


def test_texts_stand_for_numbers() -> None:
    assert metric(path="nodes[0].state", values={"Running": 1, "stopped": 0}).value == 1
    assert metric(path="nodes[0].state", values={"else": 1}).value is None
    assert metric(path="nodes[0].on", values={"true": 5}).value == 5
    assert metric(path="nodes[1].on").value == 0
    assert metric(path="system.text", pattern=r"connections: (\d+)").value == 291
    assert metric(path="system.text", pattern=r"Writing: (\d+)").value is None
    assert metric(path="system.since", parse="age", unit="seconds").value == 60


def test_what_is_missing_is_no_problem_and_what_does_not_fit_is_told() -> None:
    reading = taken(
        metrics=[
            {"name": "missing", "path": "system.nothing"},
            {"name": "gone", "path": "length(gone.list)"},
            {"name": "divided", "expression": "metrics['missing'] / 2.0"},
            {"name": "wrong", "path": "nodes"},
        ],
        items=[{"name": "text", "path": "system.text"}],
    )
    assert [one.value for one in reading.metrics] == [None] * 4
    assert reading.status is Status.DEGRADED
    assert reading.message == ("wrong: the path gives a list, not a number; text: the path gives a text, not a list")


def test_tables_have_columns_by_path_and_by_expression() -> None:
    table = {
        "name": "guests",
        "path": "nodes",
        "fields": {"name": "name"},
        "expressions": {"memory": "item.mem / item.max * 100.0", "status": "item.on ? 'up' : 'down'", "no": "item.x"},
    }
    assert taken(items=[table]).items["guests"][0] == {"name": "a", "memory": 25, "status": "up", "no": None}


@pytest.mark.parametrize(
    ("status", "expected", "message"),
    [
        ("true", Status.UP, ""),
        ("false", Status.DOWN, "3 used"),
        ("metrics['used'] > 2.0 ? 'degraded' : 'up'", Status.DEGRADED, "3 used"),
        ("'odd'", Status.UNKNOWN, "The status is “odd”, which is none of up, unknown, degraded, down"),
        ("metrics['nix'] > 1.0", Status.UNKNOWN, "The status cannot be told: 'nix'"),
    ],
)
def test_the_status_is_an_expression(status: str, expected: Status, message: str) -> None:
    reading = taken(
        metrics=[{"name": "used", "path": "system.used"}],
        status=status,
        message="string(int(metrics['used'])) + ' used'",
    )
    assert (reading.status, reading.message) == (expected, message)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:02:03", 3723),
        ("02:03", 123),
        ("2 days, 1:02:03", 2 * 86400 + 3723),
        ("PT1H2M", 3720),
        ("1d 2h 3m 4s", 93784),
        ("5 weeks", 5 * 604800),
        (90, 90),
        ("90", 90),
    ],
)
def test_durations(text: Any, seconds: float) -> None:
    assert parse_number(text, "duration", NOW) == seconds


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-23T11:00:00Z",
        "2026-11-23T11:00:00.123456789Z",
        "2026-11-23 12:00:00+01:00",
        "2026-11-23T11:00:00",
        NOW.timestamp() - 3600,
        (NOW.timestamp() - 3600) * 1000,
        str(int(NOW.timestamp() - 3600)),
    ],
)
def test_times(moment: Any) -> None:
    assert parse_number(moment, "age", NOW) == pytest.approx(3600, abs=0.2)
    assert parse_number(moment, "until", NOW) == pytest.approx(-3600, abs=0.2)


@pytest.mark.parametrize("never", [None, "", "0001-01-01T00:00:00Z", 0])
def test_never_is_no_time(never: Any) -> None:
    assert parse_number(never, "age", NOW) is None


@pytest.mark.parametrize(("text", "form"), [("soon", "age"), ("long", "duration"), ([1], "age"), ({}, "number")])
def test_nonsense_is_told(text: Any, form: Any) -> None:
    with pytest.raises(PathError):
        parse_number(text, form, NOW)

"""Value mappings: which one is meant for a value, and what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.bot.domain.components.value_mappings import ValueMapping, find_mapping
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import component, context, metrics, text


def mapping(**fields: Any) -> ValueMapping:
    return ValueMapping.model_validate({"text": "found", **fields})


@pytest.mark.parametrize(
    ("fields", "meant", "not_meant"),
    [
        ({"value": 1}, [1, 1.0, "1"], [0, 2, "one", None, True]),
        ({"value": "1"}, [1, "1"], [11]),
        ({"value": "Running"}, ["running", "RUNNING"], ["run", 1, None]),
        ({"value": True}, [True, "yes"], [False, 1.0, None]),
        ({"value": 0}, [0, 0.0], [None, ""]),
        ({"from": 10, "to": 20}, [10, 15.5, 20, "12"], [9.99, 20.01, None, "a", True]),
        ({"from": 10}, [10, 1e300], [9]),
        ({"to": 0}, [0, -5], [1]),
        ({"regex": "^err"}, ["error 5"], ["no error", None, ""]),
        ({"regex": "^1500$"}, [1500, 1500.0, "1500"], [150]),
        ({"regex": "^1.5$"}, [1.5], [15]),
        ({"missing": True}, [None, ""], [0, "none", False]),
    ],
)
def test_what_a_mapping_is_meant_for(fields: dict[str, Any], meant: list[Any], not_meant: list[Any]) -> None:
    made = mapping(**fields)
    assert [value for value in meant if not made.matches(value, context())] == []
    assert [value for value in not_meant if made.matches(value, context())] == []


def test_the_first_one_counts() -> None:
    low, any_number = mapping(to=10, text="low"), mapping(to=100, text="any")
    assert find_mapping([low, any_number], 5, context()) is low
    assert find_mapping([low, any_number], 50, context()) is any_number
    assert find_mapping([low, any_number], 500, context()) is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "fill in one of value, from and to, regex, missing"),
        ({"value": 1, "missing": True}, "fill in one of"),
        ({"from": 2, "to": 1}, "to must not be less than from"),
        ({"value": 1, "text": ""}, "fill in text, emoji or level"),
        ({"value": float("nan")}, "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        mapping(**fields)


def test_a_wrong_expression_is_named_with_its_field() -> None:
    config = {
        "source": "lab",
        "metric": "x",
        "mappings": [{"value": 1, "text": "one"}, {"regex": "(?=a)", "text": "x"}],
    }
    with pytest.raises(InvalidConfigError, match=r"mappings\.1\.regex: is no regular expression that .*: look-around"):
        component("metric", config)


STATES = [
    {"value": 0, "text": "asleep", "emoji": "💤"},
    {"value": 1, "text": "_on_", "level": "ok"},
    {"from": 90, "level": "critical"},
    {"missing": True, "text": "unplugged", "level": "missing"},
]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "💤 **x** asleep"),
        (1, r"🟢 **x** \_on\_"),
        (95, "🔴 **x** 95 %"),
        (50, "🟡 **x** 50 %"),
        (None, "⚪ **x** unplugged"),
    ],
)
def test_a_metric_shows_what_is_meant_for_its_value(value: float | None, shown: str) -> None:
    config = {"source": "lab", "metric": "x", "mappings": STATES, "thresholds": {"warning": 40}}
    assert text("metric", config, lab=metrics(Metric("x", value, "percent"))) == shown


def test_pairs_gauges_sparklines_and_entries_show_it_too() -> None:
    reading = metrics(Metric("x", 0.0))
    one = {"source": "lab", "metric": "x", "mappings": STATES}
    assert text("key_value", {"pairs": [one]}, lab=reading) == "**x** 💤 asleep"
    assert text("gauge", one, lab=reading) == "💤 **x** ▱▱▱▱▱▱▱▱▱▱ asleep"
    assert text("sparkline", one, lab=reading).startswith("💤 **x** asleep\n")
    assert text("status_list", {"entries": [one], "summary": False}, lab=reading) == "🟢 **lab** · 💤 asleep"


def test_a_column_shows_it_without_emoji_of_servers() -> None:
    rows = [{"on": 1}, {"on": False}, {"on": None}, {"on": "error 5"}, {"on": 7}]
    mappings = [
        {"value": 1, "text": "yes", "emoji": "<:on:123456789012345678>"},
        {"value": False, "text": "no", "emoji": "❌"},
        {"missing": True, "text": "?"},
        {"regex": "^error", "level": "critical"},
    ]
    column = {"field": "on", "mappings": mappings, "unit": "days"}
    shown = text(
        "table", {"source": "lab", "items": "rows", "header": False, "columns": [column]}, lab=metrics(rows=rows)
    )
    assert shown.split("\n")[1:-1] == ["yes", "❌ no", "?", "🔴 error 5", "7 d"]


def test_the_colour_of_a_wavering_value_stays() -> None:
    config = {"source": "lab", "metric": "x", "thresholds": {"critical": 90, "hysteresis": 5}}
    past = [metrics(Metric("x", value)) for value in (50.0, 91.0, 88.0)]
    assert text("metric", config, lab=past).startswith("🔴")
    assert text("gauge", config, lab=past).startswith("🔴")
    assert text("key_value", {"pairs": [config]}, lab=past[:1] + past[2:]) == "**x** 🟢 88"


def test_a_gauge_in_percent_of_another_metric_keeps_its_colour_in_percent() -> None:
    config = {
        "source": "lab",
        "metric": "used",
        "maximum_metric": "total",
        "each": "mount",
        "thresholds": {"critical": 90, "hysteresis": 5},
    }
    past = [
        metrics(
            *[
                Metric(name, value, labels={"mount": mount})
                for mount, used in (("/", first), ("/data", second))
                for name, value in (("total", 200.0), ("used", used))
            ]
        )
        for first, second in ((190.0, 100.0), (172.0, 172.0))
    ]
    assert [line[0] for line in text("gauge", config, lab=past).split("\n")] == ["🔴", "🟢"]

"""The group component."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.blocks.block import Problem, Text
from app.bot.domain.errors import ExpressionFailedError
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import component, down, metrics, render

YES: dict[str, Any] = {"type": "text", "config": {"text": "yes"}}
NO: dict[str, Any] = {"type": "text", "config": {"text": "no"}}


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ("", "yes"),
        ("metric('nas', 'disk') > 90.0", "yes"),
        ("metric('nas', 'disk') > 92.0", "no"),
        ("status('nas') == 'up' && status('web') == 'down'", "yes"),
        ("dashboard.name == 'Lab'", "yes"),
    ],
)
def test_what_is_shown_when(condition: str, shown: str) -> None:
    config = {"visible_when": condition, "children": [YES], "otherwise": [NO]}
    assert render("group", config, nas=metrics(Metric("disk", 91.0)), web=down()) == (Text(shown),)


def test_without_otherwise_nothing_is_shown() -> None:
    assert render("group", {"visible_when": "false", "children": [YES]}) == ()


@pytest.mark.parametrize("condition", ["what(", "1", "metric('gone', 'x') > 1.0"])
def test_a_wrong_condition_is_named(condition: str) -> None:
    with pytest.raises(ExpressionFailedError):
        render("group", {"visible_when": condition, "children": [YES]})


def test_a_broken_child_does_not_hide_the_others() -> None:
    broken = {"type": "text", "config": {"txt": "x"}, "name": "Mine"}
    problem, text = render("group", {"children": [broken, YES]})
    assert isinstance(problem, Problem)
    assert problem.title == "Mine"
    assert text == Text("yes")


def test_sources_of_conditions_and_children() -> None:
    inner = {"type": "metric", "config": {"source": "c", "metric": "m"}, "visible_when": "status('b') == 'up'"}
    outer = component("group", {"visible_when": "metric('a', 'x') > 1.0", "children": [inner], "otherwise": [NO]})
    assert outer.sources() == {"a", "b", "c"}

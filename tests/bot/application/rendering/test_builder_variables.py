"""Dashboards with variables: what depends on them shows what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.domain.blocks.block import Container, Problem, Text
from app.bot.domain.components.variables import Choices
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.readings.reading import Metric
from tests.support.rendering import COMPONENTS, EXPRESSIONS, NOW, TEMPLATES, assert_fits_discord, metrics, store

HOST = {"name": "host", "type": "list", "values": ["nas", "pi"], "all_option": True, "default": "nas"}
CPU = ("metric", {"source": "${variables.host}", "metric": "cpu", "label": "CPU of ${variables.host}"})


def builder() -> DashboardBuilder:
    readings = store(
        nas=metrics(Metric("cpu", 42.0, "percent"), disks=[{"name": "sda"}, {"name": "{{ now }}"}]),
        pi=metrics(Metric("cpu", 7.0, "percent"), disks=[{"name": "mmc"}]),
    )
    return DashboardBuilder(COMPONENTS, readings, TEMPLATES, expressions=EXPRESSIONS)


def dashboard(*parts: tuple[str, Mapping[str, Any]], variables: list[dict[str, Any]]) -> Dashboard:
    components = tuple(
        DashboardComponent(number, 1, kind, number, config=config) for number, (kind, config) in enumerate(parts, 1)
    )
    return Dashboard(1, 1, "Lab", layout={"footer": False, "variables": variables}, components=components)


def shown(board: Dashboard, choices: Choices | None = None, made: DashboardBuilder | None = None) -> list[str]:
    view = (made or builder()).build(board, NOW, variables=choices or {})
    assert_fits_discord(view)
    (frame,) = view.blocks
    assert isinstance(frame, Container)
    return [
        block.text if isinstance(block, Text) else block.detail if isinstance(block, Problem) else "?"
        for block in frame.children
    ]


def test_components_templates_and_conditions_follow_what_is_chosen() -> None:
    hidden = {"type": "text", "config": {"text": "A NAS"}, "visible_when": "variables.host == 'nas'"}
    board = dashboard(
        CPU,
        ("text", {"text": "{{ variables.host }} at {{ metric(variables.host, 'cpu') }}"}),
        ("group", {"children": [hidden, {"type": "text", "config": {"text": "is ${variables.host}"}}]}),
        variables=[HOST],
    )
    made = builder()
    nas = ["**CPU of nas** 42 %", "nas at 42 %", "A NAS", "is nas"]
    assert shown(board, made=made) == nas
    assert shown(board, {"host": ["pi"]}, made) == ["**CPU of pi** 7 %", "pi at 7 %", "is pi"]
    assert shown(board, {"host": ["nowhere"]}, made) == nas


def test_something_is_repeated_for_each_value() -> None:
    children = [{"type": "metric", "config": {"source": "${item}", "metric": "cpu", "label": "${item}"}}]
    board = dashboard(("repeat", {"variable": "host", "children": children}), variables=[HOST])
    assert shown(board, {"host": ["*"]}) == ["**nas** 42 %", "**pi** 7 %"]
    assert shown(board, {"host": ["pi"]}) == ["**pi** 7 %"]


def test_a_variable_may_use_those_before_it() -> None:
    disk = {"name": "disk", "type": "query", "source": "${variables.host}", "items": "disks"}
    board = dashboard(("text", {"text": "{{ variables.disk }}"}), variables=[HOST, disk])
    assert shown(board) == ["sda"]
    assert shown(board, {"host": ["pi"], "disk": ["sda"]}) == ["mmc"]


def test_what_data_says_is_shown_and_never_run() -> None:
    disk = {"name": "disk", "type": "query", "source": "nas", "items": "disks"}
    board = dashboard(("text", {"text": "Disk ${variables.disk}"}), variables=[disk])
    (text,) = shown(board, {"disk": ["{{ now }}"]})
    assert text.startswith("Disk {\u200b{")


def test_sources_of_all_that_was_chosen_are_followed() -> None:
    disk = {"name": "disk", "type": "query", "source": "docker", "items": "disks"}
    board, made = dashboard(CPU, variables=[HOST, disk]), builder()
    assert made.sources_of(board) == {"docker"}
    shown(board, {"host": ["pi"]}, made)
    assert made.sources_of(board) == {"docker", "pi"}


def test_a_variable_that_fails_says_so_and_the_rest_lives() -> None:
    broken = {"name": "disk", "type": "query", "source": "nowhere", "items": "disks"}
    board = dashboard(("text", {"text": "{{ variables.disk }} {{ variables.host }}"}), variables=[broken, HOST])
    problem, text = shown(board)
    assert problem.startswith("There is no data source “nowhere”")
    assert text == "no data nas"


def test_a_list_where_one_value_is_wanted_is_named() -> None:
    (problem,) = shown(dashboard(CPU, variables=[HOST]), {"host": ["*"]})
    assert "source" in problem


def test_an_unknown_variable_is_named() -> None:
    (problem,) = shown(dashboard(("text", {"text": "${variables.x} {{ variables.nothing }}"}), variables=[HOST]))
    assert "nothing" in problem

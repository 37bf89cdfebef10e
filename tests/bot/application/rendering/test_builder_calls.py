"""The calls behind a component's buttons: read from its config, wherever the button stands."""

from __future__ import annotations

from typing import Any

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.domain.actions.action import ActionCall, ButtonCall
from app.bot.domain.components.component import component_types
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.components.variables import Choices
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from tests.support.rendering import EXPRESSIONS, NOW, TEMPLATES, metrics, store

CONTAINERS = metrics(containers=[{"name": "web", "run": True}, {"name": "db", "run": False}])


def button(action: str, **parameters: Any) -> dict[str, Any]:
    return {"label": "Go", "do": "action", "action": action, "parameters": parameters}


def buttons(action: str, **parameters: Any) -> dict[str, Any]:
    return {"type": "buttons", "config": {"buttons": [button(action, **parameters)]}}


def calls(
    *parts: dict[str, Any],
    component: int = 1,
    page: str | None = None,
    choices: Choices | None = None,
    template: ComponentTemplate | None = None,
    variables: list[dict[str, Any]] | None = None,
) -> list[ButtonCall]:
    """Return the calls of one component of a dashboard with these parts."""
    rows = tuple(
        DashboardComponent(number, 1, part["type"], number, page=part.get("page"), config=part["config"])
        for number, part in enumerate(parts, start=1)
    )
    board = Dashboard(1, 1, "Lab", layout={"variables": variables or []}, components=rows)
    factory = ComponentFactory(component_types, [template] if template else [])
    builder = DashboardBuilder(factory, store(docker=CONTAINERS), TEMPLATES, expressions=EXPRESSIONS)
    return list(builder.calls_of(board, component, NOW, page, variables=choices or {}))


def test_items_of_a_repetition_are_put_in_and_its_condition_holds() -> None:
    config = {
        "source": "docker",
        "items": "containers",
        "as": "one",
        "where": "one.run",
        "children": [buttons("restart", container="${one.name}")],
    }
    assert calls({"type": "repeat", "config": config}) == [ButtonCall(ActionCall("restart", {"container": "web"}))]


def test_what_is_not_shown_has_no_call() -> None:
    hidden = {**buttons("stop"), "visible_when": "status('docker') == 'down'"}
    group = {"visible_when": "status('docker') == 'up'", "children": [hidden, buttons("start")]}
    group["otherwise"] = [buttons("wake")]
    assert calls({"type": "group", "config": group}) == [ButtonCall(ActionCall("start"))]


def test_a_broken_sibling_takes_nothing_with_it() -> None:
    children = [buttons("stop", container="${item.name}"), {"type": "nothing", "config": {}}, buttons("start")]
    assert calls({"type": "container", "config": {"children": children}}) == [ButtonCall(ActionCall("start"))]


def test_parameters_of_a_template_type_are_put_in() -> None:
    schema = {"type": "object", "properties": {"host": {"type": "string"}}}
    section = {"type": "section", "config": {"texts": ["A host"], "button": button("wake", host="${params.host}")}}
    card = ComponentTemplate("card", config_schema=schema, definition={"components": [section]})
    found = calls({"type": "card", "config": {"host": "nas"}}, template=card)
    assert found == [ButtonCall(ActionCall("wake", {"host": "nas"}))]


def test_choices_of_a_drop_down_are_marked() -> None:
    config = {
        "action": "restart",
        "parameter": "container",
        "choices_from": {"source": "docker", "items": "containers"},
    }
    found = calls({"type": "action_select", "config": config})
    assert found == [
        ButtonCall(ActionCall("restart", {"container": "web"}), is_choice=True),
        ButtonCall(ActionCall("restart", {"container": "db"}), is_choice=True),
    ]


def test_a_chosen_variable_is_put_in() -> None:
    host = {"name": "host", "type": "list", "values": ["nas", "pi"], "default": "nas"}
    part = buttons("wake", host="${variables.host}")
    assert calls(part, variables=[host], choices={"host": ["pi"]}) == [ButtonCall(ActionCall("wake", {"host": "pi"}))]


def test_only_the_component_on_the_page_counts() -> None:
    parts = ({**buttons("start"), "page": "One"}, {**buttons("stop"), "page": "Two"})
    assert calls(*parts, component=2, page="Two") == [ButtonCall(ActionCall("stop"))]
    assert calls(*parts, component=2, page="One") == []
    assert calls(*parts, component=9) == []

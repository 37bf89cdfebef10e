"""Forms of actions, within what Discord takes."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.application.actions.catalog import ActionForm
from app.bot.domain.actions.action import ActionCall
from app.bot.domain.actions.parameters import ActionParameter, Offer
from app.bot.interface.modals import TooManyParametersError, entered, to_modal


def form(*parameters: dict[str, Any], **offers: tuple[Offer, ...]) -> ActionForm:
    parsed = tuple(ActionParameter.model_validate(parameter) for parameter in parameters)
    return ActionForm(ActionCall("x"), "T" * 60, parsed, offers)


def drawn(made: ActionForm) -> dict[str, Any]:
    modal: dict[str, Any] = dict(to_modal(made, "hl:1:form:x").to_dict())
    return modal


def test_everything_fits_discords_limits() -> None:
    long = {"name": "a" * 32, "title": "t" * 45, "description": "d" * 100, "max": 9_999, "default": "v" * 1_500}
    modal = drawn(form(long))

    assert len(modal["title"]) == 45
    (label,) = modal["components"]
    assert len(label["label"]) <= 45
    assert len(label["description"]) <= 100
    assert label["component"]["max_length"] <= 4_000
    assert label["component"]["custom_id"] == "a" * 32


def test_few_choices_are_a_select_and_many_are_typed() -> None:
    choice = {"name": "room", "type": "choice", "choices_from": {"source": "s", "items": "i"}}
    few = tuple(Offer(f"r{number}", f"Room {number}") for number in range(25))
    assert drawn(form(choice, room=few))["components"][0]["component"]["type"] == 3
    many = drawn(form(choice, room=(*few, Offer("r25", "Room 25"))))["components"][0]["component"]
    assert many["type"] == 4
    assert many["placeholder"] == "Such as Room 0"
    assert drawn(form(choice))["components"][0]["component"]["type"] == 4


def test_yes_or_no_is_a_select_with_the_default_chosen() -> None:
    select = drawn(form({"name": "force", "type": "boolean", "default": False}))["components"][0]["component"]
    assert [(option["value"], option.get("default")) for option in select["options"]] == [
        ("true", False),
        ("false", True),
    ]


def test_five_fields_are_shown_and_what_is_needed_comes_first() -> None:
    optional = [{"name": f"o{number}", "required": False} for number in range(5)]
    made = form(*optional, {"name": "needed"})
    shown = [label["component"]["custom_id"] for label in drawn(made)["components"]]
    assert shown == ["o0", "o1", "o2", "o3", "needed"]
    with pytest.raises(TooManyParametersError, match="needs 6 answers, and a form has 5"):
        drawn(form(*({"name": f"n{number}"} for number in range(6))))


def test_what_came_back_is_read_from_labels_and_rows() -> None:
    data = {
        "components": [
            {"type": 18, "component": {"type": 4, "custom_id": "a", "value": "x"}},
            {"type": 18, "component": {"type": 3, "custom_id": "b", "values": ["y"]}},
            {"type": 18, "component": {"type": 3, "custom_id": "c", "values": []}},
            {"type": 1, "components": [{"type": 4, "custom_id": "d", "value": ""}]},
        ]
    }
    assert entered(data) == {"a": "x", "b": "y"}

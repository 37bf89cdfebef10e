"""The variable select component."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.blocks.block import Option, Select, Text
from app.bot.domain.components.component import RenderContext
from app.bot.domain.components.variables import Variable, resolve
from app.bot.domain.errors import InvalidConfigError
from tests.support.rendering import component, context


def knowing(*chosen: str, **fields: Any) -> RenderContext:
    made = context()
    variable = Variable.model_validate({"name": "host", "type": "list", "values": ["nas", "pi"], **fields})
    made.resolved = {"host": resolve(variable, {"host": chosen} if chosen else {}, made)}
    return made


def select(made: RenderContext, **config: Any) -> Select:
    (block,) = component("variable_select", {"variable": "host", **config}).render(made)
    assert isinstance(block, Select)
    return block


def test_what_is_chosen_is_marked() -> None:
    assert select(knowing("pi", label="Machine")) == Select(
        "hl:7:var:host", (Option("nas", "nas"), Option("pi", "pi", selected=True)), "Machine"
    )


def test_a_choice_of_ones_own_comes_back_with_another_verb() -> None:
    assert select(knowing(), scope="personal", placeholder="Which?").custom_id == "hl:7:own_var:host"


def test_several_and_all() -> None:
    shown = select(knowing("nas", "pi", multi=True, all_option=True))
    assert shown.max_values == 3
    assert [(option.value, option.selected) for option in shown.options] == [("*", False), ("nas", True), ("pi", True)]
    assert select(knowing(all_option=True)).options[0] == Option("All", "*", selected=True)


def test_what_is_chosen_is_among_those_that_discord_takes() -> None:
    shown = select(knowing("h90", values=[f"h{number}" for number in range(100)], all_option=True))
    assert len(shown.options) == 25
    assert [option.value for option in shown.options if option.selected] == ["h90"]
    assert shown.placeholder == "host (76 more are not listed)"


def test_nothing_to_choose_from_is_said() -> None:
    made = knowing(type="list")
    made.resolved = {"host": resolve(Variable(name="host", values=[" "]), {}, made)}
    (block,) = component("variable_select", {"variable": "host"}).render(made)
    assert block == Text("-# host: nothing to choose from")


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("other", {}, "there is no variable “other”. Known: host"),
        ("host", {"type": "constant", "value": 1, "values": []}, "“host” is a constant"),
    ],
)
def test_what_cannot_be_chosen_is_named(name: str, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidConfigError, match=problem):
        component("variable_select", {"variable": name}).render(knowing(**fields))

"""What Discord would refuse of a command is refused on the way in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.bot.domain.actions.command_options import (
    CommandOption,
    description_problem,
    length_problem,
    matching_choices,
    name_problem,
    options_problem,
)
from app.bot.domain.actions.parameters import ParameterChoice


def option(name: str = "one", **more: Any) -> CommandOption:
    return CommandOption.model_validate({"name": name, "description": "Something", **more})


@pytest.mark.parametrize("name", ["a", "restart-web", "état", "x" * 32, "日本", "a_1"])
def test_names_that_discord_takes(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["", "Big", "two words", "x" * 33, "a!", "É"])
def test_names_that_discord_refuses(name: str) -> None:
    assert "cannot be a name in Discord" in (name_problem(name) or "")


@pytest.mark.parametrize("text", ["", "  ", "x" * 101])
def test_descriptions_that_discord_refuses(text: str) -> None:
    assert f"it has {len(text)}" in (description_problem(text) or "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "Big"}, "cannot be a name"),
        ({"description": ""}, "needs 1 to 100"),
        ({"type": "user", "choices": [{"value": "1"}]}, "choices have no effect"),
        ({"type": "boolean", "min": 1}, "min and max have no effect"),
        ({"min": 5, "max": 1, "type": "integer"}, "min is greater"),
        ({"required": True, "default": "x"}, "default has no effect"),
        ({"type": "integer", "choices": [{"value": "many"}]}, "“many” is not of type integer"),
        ({"choices": [{"value": str(number)} for number in range(26)]}, "at most 25"),
        (
            {"choices": [{"value": "1"}], "choices_from": {"source": "a", "items": "b"}},
            "exclude each other",
        ),
    ],
)
def test_options_that_discord_refuses(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        option(**{"name": "one", **wrong})


def test_options_together() -> None:
    assert options_problem([option("a", required=True), option("b")]) is None
    assert "two are named “a”" in (options_problem([option("a"), option("a")]) or "")
    assert "“b” is required" in (options_problem([option("a"), option("b", required=True)]) or "")


def test_a_command_that_is_too_long() -> None:
    long = [ParameterChoice(value=f"{number}{'x' * 97}", label="y" * 100) for number in range(25)]
    options = [option("a", choices=long), option("b", choices=long)]
    assert length_problem("a", "b", options[:1]) is None
    assert "Discord takes 8000" in (length_problem("a", "b", options) or "")


def test_what_fits_what_was_typed() -> None:
    entries = [("Web server", "web"), ("A web", "aweb"), ("Mail", "mail"), ("Long", "x" * 101)]
    assert matching_choices(entries, "web") == [("Web server", "web"), ("A web", "aweb")]
    assert matching_choices(entries, "") == [("A web", "aweb"), ("Mail", "mail"), ("Web server", "web")]

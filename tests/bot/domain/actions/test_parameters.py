"""Parameters: what fits, what does not, and in which words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from app.bot.domain.actions.parameters import (
    ActionParameter,
    ItemChoices,
    Offer,
    WrongParameterError,
    item_offers,
    masked,
    parse_value,
    parse_values,
    static_choices,
)

ROOMS = (Offer("r1", "Rack"), Offer("r2", "Desk"))


def make(type_name: str = "text", **more: Any) -> ActionParameter:
    return ActionParameter.model_validate({"name": "x", "type": type_name, **more})


@pytest.mark.parametrize(
    ("parameter", "raw", "value"),
    [
        (make(), "  hello ", "hello"),
        (make(), "; rm -rf / && ${secret:x} `id`", "; rm -rf / && ${secret:x} `id`"),
        (make(multiline=True), "a\r\nb\n", "a\nb"),
        (make(pattern="[a-z]+"), "abc", "abc"),
        (make("integer"), "5", 5),
        (make("integer", min=1, max=5), 5.0, 5),
        (make("number"), "2,5", 2.5),
        (make("boolean"), "Yes", True),
        (make("boolean"), "off", False),
        (make("boolean"), True, True),
        (make("duration"), "1h30m", 5_400),
        (make("duration"), "2d 3h", 183_600),
        (make("duration"), "90", 90),
        (make("duration"), 90, 90),
    ],
)
def test_what_fits_becomes_a_value(parameter: ActionParameter, raw: Any, value: Any) -> None:
    assert parse_value(parameter, raw) == value


@pytest.mark.parametrize(
    ("parameter", "raw", "problem"),
    [
        (make(), "a\nb", "line breaks or control characters"),
        (make(), "a\0b", "line breaks or control characters"),
        (make(multiline=True), "a\x1b[0m", "line breaks or control characters"),
        (make(max=3), "abcd", "has 4 characters; from 0 to 3"),
        (make(pattern="[a-z]+"), "abc1", "does not have the form"),
        (make(pattern="[a-z]*"), "a" * 65, "does not have the form"),
        (make("integer"), "5.5", "must be a whole number"),
        (make("integer"), "five", "must be a whole number"),
        (make("integer"), True, "must be a whole number"),
        (make("integer", min=1), "0", "must be at least 1"),
        (make("number", max=2), "nan", "must be a number"),
        (make("number"), "1e400", "must be a number"),
        (make("boolean"), "perhaps", "must be yes or no"),
        (make("duration"), "soon", "length of time"),
        (make("duration"), "", "length of time"),
        (make("duration", max=60), "2m", "must be at most 60 seconds"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(parameter: ActionParameter, raw: Any, problem: str) -> None:
    with pytest.raises(WrongParameterError, match=problem):
        parse_value(parameter, raw)


def test_choices_are_known_by_value_and_by_label() -> None:
    parameter = make("choice", choices_from={"source": "house", "items": "rooms"})
    assert parse_value(parameter, "r1", ROOMS) == "r1"
    assert parse_value(parameter, "desk", ROOMS) == "r2"
    with pytest.raises(WrongParameterError, match="must be one of: Rack, Desk"):
        parse_value(parameter, "r3", ROOMS)
    with pytest.raises(WrongParameterError, match="has given no choices yet"):
        parse_value(parameter, "r1", ())


def test_values_are_given_or_by_default_or_missing() -> None:
    parameters = [
        ActionParameter(name="a"),
        ActionParameter.model_validate({"name": "b", "type": "integer", "default": 3}),
        ActionParameter(name="c", required=False),
    ]
    assert parse_values(parameters, {"a": "x"}, lambda _: ()) == {"a": "x", "b": 3, "c": None}
    with pytest.raises(WrongParameterError, match="“a” is missing"):
        parse_values(parameters, {"a": "  "}, lambda _: ())
    with pytest.raises(WrongParameterError, match=r"There is no parameter “d”\. Parameters: a, b, c"):
        parse_values(parameters, {"a": "x", "d": "y"}, lambda _: ())


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"name": "Upper"}, "name"),
        ({"name": "x", "type": "choice"}, "choices are missing"),
        ({"name": "x", "choices": [{"value": "a"}]}, "choices have no effect"),
        ({"name": "x", "pattern": "(?=a)"}, "pattern is no regular expression that is possible here: look-around"),
        ({"name": "x", "type": "integer", "default": "many"}, "default does not fit"),
        ({"name": "x", "type": "integer", "pattern": "a"}, "pattern has no effect"),
        ({"name": "x", "min": 3, "max": 2}, "min is greater than max"),
    ],
)
def test_wrong_parameters_are_refused_when_they_are_entered(config: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ActionParameter.model_validate(config)


def test_items_become_choices_once_each_and_fit_discord() -> None:
    items = [{"name": "a", "title": "A\nA"}, {"name": "a"}, {"name": ""}, {"name": "b" * 101}, {"name": 7}, {}]
    found = item_offers(ItemChoices(source="s", items="i", label="title"), items)
    assert found == (Offer("a", "A A"), Offer("7", "7"))


def test_secret_values_are_masked() -> None:
    parameters = [ActionParameter(name="a", secret=True), ActionParameter(name="b")]
    assert masked(parameters, {"a": "x", "b": "y"}) == {"a": "•••", "b": "y"}
    assert masked(parameters, {"a": None}) == {"a": None}


def test_static_choices_have_labels() -> None:
    parameter = make("choice", choices=[{"value": "a"}, {"value": "b", "label": "B!"}])
    assert static_choices(parameter) == (Offer("a", "a"), Offer("b", "B!"))


@given(some.one_of(some.text(), some.integers(), some.floats(), some.booleans(), some.none()))
def test_nothing_that_is_given_does_more_than_be_refused(raw: Any) -> None:
    for name in ("text", "integer", "number", "boolean", "duration"):
        with suppress(WrongParameterError):
            parse_value(make(name), raw)

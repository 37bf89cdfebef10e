"""References to the environment, as they are replaced when files are applied."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.definitions.files.environment import Environment, escape_references
from app.definitions.files.problems import Problem
from app.shared.yaml import read_yaml, write_yaml
from tests.shared.test_yaml import values


def replaced(text: str, variables: dict[str, str] | None) -> tuple[object, list[Problem]]:
    problems: list[Problem] = []
    return Environment(variables).replace(read_yaml(text, "f.yaml"), problems).data(), problems


def test_values_defaults_and_literal_references() -> None:
    text = (
        'a: x${env:A}y${env:B:-z}\nb: $${env:A}\nc: "${env:N}"\nd: ${env:N}\ne: ${env:T}\nf: ${env:EMPTY}\n${env:A}: k'
    )
    found, problems = replaced(text, {"A": "1", "N": "8080", "T": "true", "EMPTY": ""})
    assert not problems
    assert found == {"a": "x1yz", "b": "${env:A}", "c": "8080", "d": 8080, "e": True, "f": "", "${env:A}": "k"}


@pytest.mark.parametrize(("text", "said"), [("${env:A}", "variable A is not set"), ("${env:}", "without a name")])
def test_what_is_missing_is_named(text: str, said: str) -> None:
    _, problems = replaced(f"a:\n  - b: 1\n    c: x {text}\n", {})
    (problem,) = problems
    assert (problem.place.line, problem.field) == (3, "a.0.c")
    assert said in problem.message


def test_without_an_environment_nothing_is_told_of_it() -> None:
    found, (problem,) = replaced("a: ${env:HOME}", None)
    assert found == {"a": ""}
    assert "cannot be used here" in problem.message


@given(st.text("${}env:AB-", max_size=30))
def test_text_that_looks_like_a_reference_comes_out_as_it_was(text: str) -> None:
    problems: list[Problem] = []
    node = read_yaml(f"a: '{escape_references(text)}'", "f")
    assert Environment({}).replace(node, problems).data() == {"a": text}
    assert not problems


@given(values)
@example({"x": "${env:A}$${env:B}"})
def test_what_is_escaped_comes_out_as_it_was(value: Any) -> None:
    found, problems = replaced(write_yaml(escape_references({"value": value})), {})
    assert not problems
    assert found == {"value": value}

"""Conditions of users: what they can say, and what they are told when they are wrong."""

from __future__ import annotations

import pytest

from app.shared.expressions import MAX_CHARACTERS, CelExpressions, ExpressionError

VALUES = {"item": {"state": "running", "restarts": 3}, "metric": lambda source, name: 93.5, "nothing": None}


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("item.state == 'running' && item.restarts > 2", True),
        ("metric('host', 'cpu.percent') > 90", True),
        ("metric('host', 'cpu.percent') > 95.0", False),
        ("nothing == null", True),
        ("size(item.state) + 1", 8),
    ],
)
def test_what_an_expression_gives(expression: str, result: object) -> None:
    assert CelExpressions().evaluate(expression, VALUES) == result


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 +", "column 4"),
        ("unknown > 1", "unknown"),
        ("item.nothing > 1", "nothing"),
        ("1 / 0", "zero"),
        ("metric('host')", "missing 1 required positional argument"),
        ("true || " * 1_000 + "true", f"{MAX_CHARACTERS:,}"),
    ],
)
def test_what_is_said_of_a_wrong_one(expression: str, said: str) -> None:
    expressions = CelExpressions()
    for _ in range(2):  # the second time from the compiled ones
        with pytest.raises(ExpressionError, match=said):
            expressions.evaluate(expression, VALUES)


def test_a_check_compiles_only() -> None:
    CelExpressions().check("unknown > 1")
    with pytest.raises(ExpressionError):
        CelExpressions().check("unknown >")

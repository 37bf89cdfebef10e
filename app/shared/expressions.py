"""Conditions of users in CEL (https://cel.dev): no loops, no side effects, compiled once."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import cel

MAX_CHARACTERS = 2_000
"""Of one expression; a condition that needs more is better two components."""


class ExpressionError(Exception):
    """An expression is wrong; the text says where, and what to do."""


class CelExpressions:
    """Evaluates expressions. Compiled ones are kept, the least recently used are dropped."""

    def __init__(self, cache_size: int = 1_024) -> None:
        self._compiled = functools.lru_cache(maxsize=cache_size)(_compile)

    def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """The value of an expression; callables among `values` are its functions. Raises ExpressionError."""
        program = self._compiled(expression)
        if isinstance(program, ExpressionError):
            raise program.with_traceback(None)
        context = cel.Context({name: value for name, value in values.items() if not callable(value)})
        for name, value in values.items():
            if callable(value):
                context.add_function(name, value)
        try:
            return program.execute(context)
        except Exception as error:
            raise ExpressionError(_reason(error)) from error

    def check(self, expression: str) -> None:
        """Raise ExpressionError for an expression that cannot be compiled, whatever the values are."""
        program = self._compiled(expression)
        if isinstance(program, ExpressionError):
            raise program.with_traceback(None)


def _compile(expression: str) -> Any:
    """The program, or what is wrong: a broken expression need not be compiled at every rendering."""
    if len(expression) > MAX_CHARACTERS:
        return ExpressionError(f"the expression is longer than {MAX_CHARACTERS:,} characters; shorten it")
    try:
        return cel.compile(expression)
    except Exception as error:  # noqa: BLE001  # the library raises several kinds for what a user may write
        return ExpressionError(_reason(error))


def _reason(error: Exception) -> str:
    """The library's message in one line, without what only a programmer would follow."""
    text = str(error).partition("\n")[0]
    text = re.sub(r"^Failed to parse expression .*?: ERROR: <input>:1:(\d+): ", r"column \1: ", text)
    text = re.sub(r"^.*Python function call failed: \w+: ", "", text)
    return text.removesuffix(" Check function arguments and their types.")[:300] or type(error).__name__

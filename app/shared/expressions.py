"""Conditions of users in CEL (https://cel.dev): no loops, no side effects, compiled once."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
        """Return the value of an expression; callables among `values` are its functions. Raises ExpressionError."""
        program = self._compiled(expression)
        if isinstance(program, ExpressionError):
            raise program.with_traceback(None)
        # Only what the expression names: handing over a large value takes longer than the expression itself.
        context = cel.Context({name: values[name] for name in program.variables if name in values})
        for name in program.functions:
            if name in values:
                context.add_function(name, values[name])
        try:
            return program.program.execute(context)
        except Exception as error:
            raise ExpressionError(_reason(error)) from error

    def check(self, expression: str) -> None:
        """Raise ExpressionError for an expression that cannot be compiled, whatever the values are."""
        program = self._compiled(expression)
        if isinstance(program, ExpressionError):
            raise program.with_traceback(None)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A program, and the names that it uses."""

    program: Any
    variables: tuple[str, ...]
    functions: tuple[str, ...]


def _compile(expression: str) -> _Compiled | ExpressionError:
    """Return the program, or what is wrong: a broken expression need not be compiled at every rendering."""
    if len(expression) > MAX_CHARACTERS:
        return ExpressionError(f"the expression is longer than {MAX_CHARACTERS:,} characters; shorten it")
    try:
        program = cel.compile(expression)
        return _Compiled(program, tuple(program.variables()), tuple(program.functions()))
    except Exception as error:  # noqa: BLE001  # the library raises several kinds for what a user may write
        return ExpressionError(_reason(error))


def _reason(error: Exception) -> str:
    """Return the library's message in one line, without what only a programmer would follow."""
    text = str(error).partition("\n")[0]
    text = re.sub(r"^Failed to parse expression .*?: ERROR: <input>:1:(\d+): ", r"column \1: ", text)
    text = re.sub(r"^.*Python function call failed: \w+: ", "", text)
    return text.removesuffix(" Check function arguments and their types.")[:300] or type(error).__name__

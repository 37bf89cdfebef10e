"""Conditions of users in CEL, as the domain needs them; what fulfils this stands in app.shared.expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Expressions(Protocol):
    """Evaluates CEL expressions."""

    def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """Return the value of an expression; `values` are its variables, and its functions where they are callable.

        Raises an exception whose text says what is wrong; RenderContext.test names it.
        """
        ...


class NoExpressions:
    """Stands where no conditions can be evaluated."""

    def evaluate(self, expression: str, values: Mapping[str, Any]) -> Any:
        """Evaluate the expression. Raises ValueError."""
        raise ValueError("conditions cannot be evaluated here")

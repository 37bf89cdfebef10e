"""The languages within a definition: texts whose syntax anyone who validates it can check, by pydantic's context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo


@dataclass(frozen=True, slots=True)
class Languages:
    """Checks of JMESPath, CEL and regular expressions with a group.

    Each raises an exception whose text says what is wrong.
    """

    check_path: Callable[[str], None]
    check_expression: Callable[[str], None]
    check_pattern: Callable[[str], None]

    def context(self) -> Mapping[str, Any]:
        """Return what to hand to pydantic's `model_validate` as `context`."""
        return {"languages": self}


def _check(text: str, info: ValidationInfo, check: str) -> str:
    languages = (info.context or {}).get("languages")
    if languages is not None:
        try:
            getattr(languages, check)(text)
        except Exception as error:  # noqa: BLE001  # whatever the language's own error is
            raise ValueError(str(error)) from None
    return text


def _check_path(text: str, info: ValidationInfo) -> str:
    return _check(text, info, "check_path")


def _check_expression(text: str, info: ValidationInfo) -> str:
    return _check(text, info, "check_expression")


def _check_pattern(text: str, info: ValidationInfo) -> str:
    return _check(text, info, "check_pattern")


Path = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_check_path)]
"""A JMESPath expression."""

Expression = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_check_expression)]
"""A CEL expression."""

Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_check_pattern)]
"""A regular expression with one group, looked for line by line."""

Identifier = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,63}$")]
"""A name that paths and expressions can use."""

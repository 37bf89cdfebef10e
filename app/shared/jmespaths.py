"""Paths into JSON-like data in JMESPath (https://jmespath.org): compiled once, and nothing but PathError comes out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.parser import ParsedResult

_REASON_CHARACTERS = 150


class PathError(Exception):
    """A path is wrong, or gives something that does not fit; the text says what, to be shown behind a name."""


def check_path(path: str) -> None:
    """Raise PathError for a text that is no JMESPath expression."""
    try:
        _compiled(path)
    except JMESPathError as error:
        raise PathError(f"not a JMESPath expression: {_reason(error)}") from None


def search(path: str, document: Any) -> Any:
    """Return what a path gives in a document; nothing (None) also where it counts or adds up what is not there.

    Raises PathError.
    """
    try:
        return _compiled(path).search(document)
    except JMESPathTypeError as error:
        if error.actual_type == "null":
            return None
        raise PathError(_reason(error)) from None
    except (JMESPathError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        # jmespath lets some of Python's own errors through where a function meets a type it does not expect.
        reason = _reason(error) if isinstance(error, JMESPathError) else "the data does not fit the path"
        raise PathError(reason) from None


@lru_cache(maxsize=4_096)
def _compiled(path: str) -> ParsedResult:
    return jmespath.compile(path)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _REASON_CHARACTERS else text[: _REASON_CHARACTERS - 1] + "…"

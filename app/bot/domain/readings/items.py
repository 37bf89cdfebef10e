"""Taking values out of the items of a reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.formatting.units import MISSING, format_value

_LONG = 1e15
TEXT_LIMIT = 200
"""Characters of one value that are looked at: more never fits a line."""


def value_at(item: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path: keys of objects, positions in lists. None where there is nothing.

    A key that contains dots itself wins over the path that it looks like.
    """
    if path in item:
        return item[path]
    value: Any = item
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isdecimal():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return None
    return value


def as_number(value: Any) -> float | None:
    """Return a number, or text that is one; None for all else, also for yes and no."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def value_text(value: Any, unit: str = "", decimals: int | None = None, missing: str = MISSING) -> str:
    """Return a value of an item as one plain line, with its unit where it is a number."""
    if value is None or value == "":
        return missing
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = as_number(value)
    if number is not None and (unit or not isinstance(value, str)):
        return format_value(number, unit, decimals)
    if isinstance(value, (Mapping, list, tuple)):
        value = ", ".join(map(str, value)) if not isinstance(value, Mapping) else json.dumps(value, default=str)
    return one_line(shorten(str(value), TEXT_LIMIT)) or missing


def plain_text(value: Any) -> str:
    """Return a value as text in any locale: numbers as programs write them, a missing one as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LONG:
        return str(int(value))
    return str(value)


def equal_values(found: Any, wanted: Any) -> bool:
    """Whether a field has the value: numbers by their value, all else by its text without regard to case."""
    left, right = as_number(found), as_number(wanted)
    if left is not None and right is not None:
        return left == right
    return found is not None and value_text(found).casefold() == value_text(wanted).casefold()


def sort_key(value: Any) -> tuple[int, float, str]:
    """Orders values of any kinds: missing ones first, then numbers, then text without regard to case."""
    if value is None:
        return (0, 0.0, "")
    number = as_number(value)
    return (1, number, "") if number is not None else (2, 0.0, str(value).casefold())

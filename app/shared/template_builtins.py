"""The filters that every template has: Jinja2's own where they are harmless, stricter ones where they are not.

In all of them a missing value (None) stays missing, except in `default`, which is there to replace it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

from jinja2.filters import FILTERS as _JINJA_FILTERS
from jinja2.runtime import Undefined

from app.shared.template_budget import Budget, TemplateError, TemplateLimitError

_AS_THEY_ARE = (
    "abs", "capitalize", "center", "count", "dictsort", "first", "groupby", "indent", "items", "last", "length",
    "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "string",
    "title", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
_WITH_WIDTH = ("center", "indent", "truncate")
_WIDTH = 1_000
"""The widest line that these take; a message has no wider one."""

CurrentBudget = Callable[[], Budget]


def builtin_filters(budget: CurrentBudget) -> dict[str, Callable[..., Any]]:
    """Return the filters by name; `budget` gives the budget of the rendering that is under way."""

    def default(value: Any, replacement: Any = "", boolean: bool = False) -> Any:
        missing = isinstance(value, Undefined) or value is None or (boolean and not value)
        return budget().held(replacement) if missing else value

    def join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
        parts: list[str] = []
        for value in values:
            parts.append(_text(_attribute(value, attribute)))
            budget().charge(len(parts[-1]) + len(separator))
        return separator.join(parts)

    def replace(text: Any, old: str, new: str, count: int | None = None) -> str:
        source = _text(text)
        budget().charge(len(source) + source.count(old) * len(new))
        return source.replace(old, new, -1 if count is None else count)

    def printf(template: str, *values: Any, **named: Any) -> str:
        budget().check_format(str(template))
        return str(str(template) % (named or values))

    own: dict[str, Callable[..., Any]] = {
        "default": default, "d": default, "join": join, "replace": replace, "format": printf,
        "int": _integer, "float": _float, "round": _round, "sum": _sum,
    }  # fmt: skip
    jinja = {name: _JINJA_FILTERS[name] for name in _AS_THEY_ARE}
    return jinja | {name: _with_width(jinja[name]) for name in _WITH_WIDTH} | own


def _with_width(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter, refusing widths that it would fill with blanks."""

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(argument, int) and abs(argument) > _WIDTH for argument in (*args, *kwargs.values())):
            raise TemplateLimitError(f"the width of a line is at most {_WIDTH:,}; use a smaller one")
        return function(*args, **kwargs)

    return checked


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _attribute(value: Any, name: str | None) -> Any:
    if name is None:
        return value
    try:
        return value[name]
    except (TypeError, LookupError):
        raise TemplateError(f"there is no “{name}” to join; use map(attribute=...) first") from None


def _float(value: Any, default: float | None = None) -> float | None:
    """Return the number, or `default` (missing) for what is none; never 0 for it."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return number if math.isfinite(number) else default


def _integer(value: Any, default: int | None = None) -> int | None:
    if isinstance(value, int):
        return value
    number = _float(value)
    return default if number is None else int(number)


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if abs(precision) > 15:
        raise TemplateLimitError("round takes a precision of at most 15")
    if method == "common":
        return round(value, precision)
    if method not in ("ceil", "floor"):
        raise TemplateError("round has the methods common, ceil and floor")
    scale = 10.0**precision
    return (math.ceil if method == "ceil" else math.floor)(value * scale) / scale


def _sum(values: Iterable[Any], attribute: str | None = None, start: float = 0) -> float | None:
    """Return the sum of the values that are there; missing when none is."""
    numbers = [number for value in values if (number := _attribute(value, attribute)) is not None]
    if not all(isinstance(number, (int, float)) for number in numbers):
        raise TemplateError("sum adds numbers only")
    return start + sum(numbers) if numbers else None

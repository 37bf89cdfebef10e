"""Which text without quotes is a number, a truth value or nothing: YAML 1.2, as editors and JSON have it.

So `no`, `on`, `12:30` and dates are text, which YAML 1.1 made surprises of.
"""

from __future__ import annotations

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_INTEGER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_INTEGER = 400
"""Digits; Python refuses to read more than some thousands, and nothing here takes that many."""


def plain_value(text: str) -> str | int | float | bool | None:
    """What the text means where it stands without quotes."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return number_or_text(text)


def number_or_text(text: str) -> str | int | float:
    """The number that the text is, or the text. A number beyond all sense is an infinite one."""
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INTEGER else math.inf
    if _OTHER_INTEGER.fullmatch(text):
        return int(text, 0) if len(text) <= _LONGEST_INTEGER else math.inf
    if _NUMBER.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text

"""Regular expressions of users, as far as they are certain to end soon.

Python's own can try exponentially many ways to match. Here only single characters may repeat, never groups, so the ways
are the product of what each repetition and alternative can be; a pattern with more than MAX_WAYS is refused when it is
entered. Nothing is looked for beyond TEXT_LIMIT characters.
"""

from __future__ import annotations

import functools
import re
import warnings
from dataclasses import dataclass

PATTERN_LIMIT = 200
TEXT_LIMIT = 64
"""Characters of a text that are looked at."""

MAX_WAYS = 4_200
"""Two repetitions without an end, and a little more; each way is tried at each place of a text."""

_WEIGHT_OF_OPTIONAL = 3
"""What is optional is there or not, but often in a row with others, and trying is dear where nothing else repeats."""

_QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?::|P<\w+>))?")
_IGNORE_CASE = "(?i)"


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern, or None: it is none, or may take too long."""
    if len(pattern) > PATTERN_LIMIT:
        return f"is longer than {PATTERN_LIMIT} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # of what later versions of Python read otherwise
            re.compile(pattern)
    except (FutureWarning, re.error, OverflowError, RecursionError) as error:
        return f"is no regular expression: {error}"
    return _trouble(pattern)


@functools.lru_cache(maxsize=2_048)
def is_found(pattern: str, text: str) -> bool:
    """Whether a checked pattern matches somewhere in the text, or in the beginning of a long one."""
    return _compiled(pattern).search(text[:TEXT_LIMIT]) is not None


_compiled = functools.lru_cache(maxsize=512)(re.compile)


def _trouble(pattern: str) -> str | None:
    """Why a pattern may take too long, or None.

    The ways of parts one after another multiply, those of alternatives add up.
    """
    position = len(_IGNORE_CASE) if pattern.startswith(_IGNORE_CASE) else 0
    levels = [_Ways()]
    after_group = False
    while position < len(pattern):
        letter, start = pattern[position], position
        if (quantifier := _QUANTIFIER.match(pattern, position)) is not None:
            if after_group and quantifier[0] != "?":
                return f"repeats a group at character {start + 1}; only single characters and [sets] may repeat"
            levels[-1].product *= _choices(quantifier)
            position = quantifier.end()
            position += pattern[position : position + 1] in ("?", "+")  # as few as possible, or never given back
        elif letter == "\\":
            if pattern[position + 1 : position + 2].isdigit():
                return f"refers to a group at character {start + 1}, which can take too long"
            position += 2
        elif letter == "[" and (found := _CLASS.match(pattern, position)) is not None:
            position = found.end()
        elif letter == "(":
            opened = _GROUP.match(pattern, position)
            if opened is None or pattern[opened.end() : opened.end() + 1] == "?":
                return f"has a kind of group at character {start + 1} that is not possible here; use ( ) or (?: )"
            levels.append(_Ways())
            position = opened.end()
        else:
            position += 1
            if letter == "|":
                levels[-1].next_alternative()
            elif letter == ")" and len(levels) > 1:
                closed = levels.pop()
                levels[-1].product *= closed.total
        after_group = letter == ")"
        if levels[-1].total > MAX_WAYS:
            return "can match in too many ways; use * and + at most twice, and ? less often"
    return None


@dataclass(slots=True)
class _Ways:
    """In how many ways a group can match, as far as it was read."""

    others: int = 0
    product: int = 1

    @property
    def total(self) -> int:
        return self.others + self.product

    def next_alternative(self) -> None:
        self.others, self.product = self.total, 1


def _choices(quantifier: re.Match[str]) -> int:
    """In how many ways a repetition can be, on a text of TEXT_LIMIT characters."""
    if quantifier[0] == "?":
        return _WEIGHT_OF_OPTIONAL
    if quantifier[0] in ("*", "+"):
        return TEXT_LIMIT
    least = int(quantifier[1] or 0)
    most = int(quantifier[3] or TEXT_LIMIT) if quantifier[2] else least
    return max(min(most, TEXT_LIMIT) - least + 1, 1)

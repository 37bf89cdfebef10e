"""Regular expressions of users, looked for in a time that grows with the text and never faster.

pydantic's engine, Rust's regex, knows neither look-around nor references to groups, and so has no pattern that tries
exponentially many ways. What is left to bound is the text, of which TEXT_LIMIT characters are looked at, and the
pattern itself: classes of Unicode such as \\w make it large and slow to compile when they repeat. It is compiled when
it is looked for, within the computing time of a component; to check it, an outline with small classes does.
"""

from __future__ import annotations

import functools
import math
import re

from pydantic_core import SchemaError, SchemaValidator, core_schema

PATTERN_LIMIT = 200
TEXT_LIMIT = 64
"""Characters of a text that are looked at."""

_MAX_SIZE = 1_800
"""Characters of a pattern when its repetitions are written out: it compiles within about 10 ms, to 6 MB."""

_SIZES = {**dict.fromkeys("wW", 40), **dict.fromkeys("dDsS", 10), **dict.fromkeys("pP", 300)}
"""What classes count for by their letters: those of words are large, and properties stay in the outline."""

_ESCAPE = re.compile(r"\\(?:(?P<class>[wWdDsSpP])|[xuU]\{[^}]*\}|.)", re.DOTALL)
_COUNT = re.compile(r"\{(\d{1,9})(?:,(\d{0,9}))?\}")


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a pattern and how to mend it, or None."""
    if len(pattern) > PATTERN_LIMIT:
        return f"is longer than {PATTERN_LIMIT} characters"
    if _size(pattern) > _MAX_SIZE:
        return "repeats too much; lower the numbers in { }, or use * or + instead"
    try:
        _build(_outline(pattern))
    except (SchemaError, UnicodeError) as error:
        reason = str(error).rstrip(".").rpartition("error: ")[2].rpartition("\n")[2]
        remedy = "; write it without" if "not supported" in reason else ""
        return f"is no regular expression that is possible here: {reason}{remedy}"
    return None


@functools.lru_cache(maxsize=2_048)
def is_found(pattern: str, text: str) -> bool:
    """Return whether a checked pattern matches somewhere in the text, or in the beginning of a long one."""
    return _compiled(pattern).isinstance_python(text[:TEXT_LIMIT])


def _build(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern))


_compiled = functools.lru_cache(maxsize=64)(_build)


def _outline(pattern: str) -> str:
    """Return the pattern with a class of one character in the place of each large one: as valid, and small."""
    return _ESCAPE.sub(lambda escape: r"\p{Zl}" if escape["class"] in {*"wWdDsS"} else escape[0], pattern)


def _size(pattern: str) -> int:
    """Return about how long the pattern is with its counted repetitions written out, as if each held the others."""
    classes = sum(_SIZES.get(escape["class"], 0) for escape in _ESCAPE.finditer(pattern))
    counts = (max(int(least), int(most or 0), 1) for least, most in _COUNT.findall(_ESCAPE.sub("", pattern)))
    return (len(pattern) + classes) * math.prod(counts)

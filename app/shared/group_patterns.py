"""Regular expressions with a group, by RE2: in linear time, and with bounded memory.

The domain's patterns say only whether something is found (app/bot/domain/patterns.py); these say what.
"""

from __future__ import annotations

from functools import lru_cache

import re2

_MEMORY = 1 << 20
"""Bytes for a compiled pattern and what it remembers while it looks."""

_OPTIONS = re2.Options()
_OPTIONS.max_mem = _MEMORY
_OPTIONS.log_errors = False


def check_group_pattern(pattern: str) -> None:
    """Raise ValueError unless it is a regular expression with exactly one group."""
    try:
        groups = _compiled(pattern).groups
    except (re2.error, UnicodeError) as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"is no regular expression that is possible here: {reason}") from None
    if groups != 1:
        raise ValueError("needs exactly one group in parentheses: the part that is taken")


def find_group(pattern: str, text: str) -> str | None:
    """Return the group of the first match in a text, None without a match. The pattern is a checked one."""
    found = _compiled(pattern).search(text.encode("utf-8", "replace").decode())  # it may hold lone surrogates
    return None if found is None else str(found[1] or "")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re2._Regexp:
    return re2.compile(pattern, _OPTIONS)

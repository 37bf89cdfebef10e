"""Servers and channels by what files call them: an id of Discord's, or a name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from app.definitions.inputs import MAX_ID

_ID = re.compile(r"[0-9]{5,20}")
_MOST_NAMED = 10


class UnknownNameError(Exception):
    """There is no server or channel of this name, or more than one; the text says what to do."""


class Names:
    """Ids by name, of servers, or of the channels of one server."""

    def __init__(self, what: str, known: Iterable[tuple[int, str]]) -> None:
        self._what = what
        self._ids: defaultdict[str, set[int]] = defaultdict(set)
        for number, name in known:
            if name:
                self._ids[name].add(number)

    def find(self, value: Any) -> int:
        """The id. An id is believed as it is. Raises UnknownNameError."""
        text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
        if _ID.fullmatch(text):
            if 0 < int(text) <= MAX_ID:
                return int(text)
            raise UnknownNameError("is no id of Discord's")
        if not text:
            raise UnknownNameError(f"must be the name or the id of a {self._what}")
        found = self._ids.get(text) or self._ids.get(text.removeprefix("#")) or set()
        if len(found) == 1:
            return next(iter(found))
        if found:
            ids = ", ".join(str(number) for number in sorted(found))
            raise UnknownNameError(f"“{text}” is the name of several {self._what}s; give the id: {ids}")
        known = sorted(self._ids)[:_MOST_NAMED]
        there = f"known: {', '.join(known)}" if known else "none is known yet, the bot adds them when it sees them"
        raise UnknownNameError(f"there is no {self._what} “{text[:100]}”; {there}; or give the id")

    def name_of(self, number: int) -> str | None:
        """The name that means this id and no other; None where there is none."""
        name = next((name for name, ids in self._ids.items() if ids == {number}), None)
        usable = name is not None and name == name.strip() and not _ID.fullmatch(name) and name != "*"
        return name if usable else None

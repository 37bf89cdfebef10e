"""The custom_id of a button or select carries all state, so a click works after any restart."""

from __future__ import annotations

import re
from dataclasses import dataclass

CUSTOM_ID_LIMIT = 100
"""Characters, Discord's limit (documentation, component reference)."""

CUSTOM_ID_PATTERN = r"hl:(?P<component>\d{1,18})(?:\.\d{1,4})?:(?P<verb>[a-z_]{1,20}):(?P<argument>.*)"
_COMPILED = re.compile(CUSTOM_ID_PATTERN, re.DOTALL)


@dataclass(frozen=True, slots=True)
class CustomId:
    """`hl:<component id>:<verb>:<argument>`; the verb says what to do, the argument with what.

    `.2` behind the component's id tells the second of two equal ones in a message from the first, and means nothing.
    """

    component: int
    verb: str
    argument: str = ""

    def __str__(self) -> str:
        return custom_id_text(self.component, self.verb, self.argument)

    @classmethod
    def parse(cls, text: str) -> CustomId | None:
        """Return the parts of a custom_id made here, or None for another's."""
        match = _COMPILED.fullmatch(text)
        return cls(int(match["component"]), match["verb"], match["argument"]) if match else None


def custom_id_text(component: int, verb: str, argument: str = "") -> str:
    """Return the custom_id of these parts. Raises ValueError where it is too long for Discord."""
    text = f"hl:{component}:{verb}:{argument}"
    if len(text) > CUSTOM_ID_LIMIT:
        raise ValueError(f"“{argument}” is too long for a button: {len(text)} of {CUSTOM_ID_LIMIT} characters")
    return text


def told_apart(custom_id: str, seen: set[str]) -> str:
    """Return the custom_id, made different from all in `seen`, which takes it in.

    Raises ValueError where it is too long.
    """
    start, component, rest = custom_id.split(":", 2)
    number, different = 1, custom_id
    while different in seen:
        number += 1
        different = f"{start}:{component}.{number}:{rest}"
    if len(different) > CUSTOM_ID_LIMIT:
        raise ValueError(f"the {number}th button of this kind in one dashboard has too long a name; shorten it")
    seen.add(different)
    return different

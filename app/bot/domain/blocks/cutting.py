"""Cutting Markdown in two where it hurts least."""

from __future__ import annotations

import re

_FENCE = "```"
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}(?=\n)")
"""What may stand behind the back-ticks that open a code block."""
_LIST_LINE = re.compile(r"\s*([-*+]|\d+[.)])\s|\s*>|\s*\|")
"""A line that belongs to the one before it: of a list, a quotation or a table."""
_CLOSING = f"\n{_FENCE}"
_FEWEST = 60
"""A limit below this leaves no room for both ends of a code block and something between them."""


def cut_markdown(text: str, limit: int) -> tuple[str, str]:
    """Cut a text longer than `limit` characters: return its leading part and the rest, which may be empty.

    Cut between paragraphs if there is such a place in the second half, else between lines, else between words. A code
    block that spans the cut is closed before it and opened again behind it.
    """
    if len(text) <= limit:
        return text, ""
    text = _without_void(text, limit)
    if len(text) <= limit:
        return text, ""
    limit = max(limit, _FEWEST)
    at = _place(text, limit)
    if _open_block(text, at) is not None:
        at = _place(text, limit - len(_CLOSING))
    opened = _open_block(text, at)
    if opened is None:
        return text[:at].rstrip(), _rest(text[at:])
    return _cut_code(text, at, limit, *opened)


def _cut_code(text: str, at: int, limit: int, start: int, opening: str) -> tuple[str, str]:
    """Cut at a place inside of the code block that begins with `opening` at `start`."""
    if not text[start + len(opening) : at].strip():  # nothing of the block is left before the cut
        if text[:start].strip():
            return text[:start].rstrip(), text[start:]
        at = min(limit - len(_CLOSING), start + len(opening) + limit // 2)
    head = text[:at].rstrip("`\n") + _CLOSING
    rest = text[at:].removeprefix("\n")
    if not rest.replace(_FENCE, "", 1).strip():  # only the end of the block would follow
        return head, ""
    return head, _reopened(opening, rest)


def _without_void(text: str, limit: int) -> str:
    """Return the text without empty lines before it, and without an indent that would fill what is cut off."""
    solid = text.lstrip()
    line = text.rfind("\n", 0, len(text) - len(solid)) + 1
    return text[line:] if len(text) - line - len(solid) < limit // 4 else solid


def _reopened(opening: str, rest: str) -> str:
    return f"{opening}{rest}" if opening.endswith("\n") else f"{opening}\n{rest}"


def _rest(text: str) -> str:
    rest = text.lstrip("\n")
    return rest.lstrip(" ") if rest is text else rest


def _open_block(text: str, at: int) -> tuple[int, str] | None:
    """Where the code block begins that is open at a place, and what opens it; None outside of code."""
    if text.count(_FENCE, 0, at) % 2 == 0:
        return None
    start = text.rfind(_FENCE, 0, at)
    language = _LANGUAGE.match(text, start + len(_FENCE))
    end = language.end() if language else start + len(_FENCE)
    return start, text[start : end + 1 if text[end : end + 1] == "\n" else end]


def _place(text: str, limit: int) -> int:
    """Where to cut a text, at most `limit` characters from its beginning."""
    line = text.rfind("\n", 1, limit + 1)
    at = line
    while at > limit // 2:
        if _LIST_LINE.match(text, at + 1) is None and text.count(_FENCE, 0, at) % 2 == 0:
            return at
        at = text.rfind("\n", 1, at)
    if line > 0 and text[:line].strip():
        return line
    word = text.rfind(" ", 1, limit + 1)
    if word > 0 and text[:word].strip():
        return word
    return _between_characters(text, limit)


def _between_characters(text: str, at: int) -> int:
    """Return a place at or before `at` that splits no escape and no run of back-ticks."""
    place = at
    while place > 1 and text[place - 1] == "`" and text[place] == "`":
        place -= 1
    backslashes = place - len(text[:place].rstrip("\\"))
    place -= backslashes % 2
    return place if place > 0 else at

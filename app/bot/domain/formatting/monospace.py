"""Columns of monospaced text: how wide a text is drawn, and how to make it as wide as wanted."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def display_width(text: str) -> int:
    """Columns that a text takes: Chinese letters and most emoji two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_letter_width, text))


def cut(text: str, width: int) -> str:
    """At most `width` columns of a text, the last one an ellipsis where something was cut."""
    if display_width(text) <= width:
        # Marks without a width are cut off too when they are many: characters count in a message, not columns.
        return text[: 2 * width]
    kept, taken = [], 0
    for letter in text[: 2 * width - 1]:
        taken += _letter_width(letter)
        if taken > width - 1:
            break
        kept.append(letter)
    return "".join(kept) + ELLIPSIS


def padded(text: str, width: int, at_right: bool = False) -> str:
    """Return a text cut or filled up to exactly `width` columns, of at most twice as many characters."""
    text = cut(text, width)
    space = " " * (width - display_width(text))
    text = _without_marks(text, len(text) + len(space) - 2 * width)
    return space + text if at_right else text + space


def _without_marks(text: str, count: int) -> str:
    """Return the text without its last `count` letters that have no width: it may be little but marks."""
    kept: list[str] = []
    for letter in reversed(text):
        if count > 0 and not _letter_width(letter):
            count -= 1
        else:
            kept.append(letter)
    return "".join(reversed(kept))

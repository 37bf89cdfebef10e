"""Discord-flavoured Markdown: escaping what came from outside, and the few marks the product writes itself."""

from __future__ import annotations

import functools
import re
import unicodedata

_SPECIAL = re.compile(r"([\\*_~`|>#\[\]()<:@-])")
_NUMBERED = re.compile(r"^(\s*\d+)\.(?=\s)", re.MULTILINE)
_MARKUP = re.compile(rf"{_SPECIAL.pattern}|{_NUMBERED.pattern}", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\*_~`|>#\[\]()<:@.-])")
_FENCE = "```"
_SHORT = 100
_JOINERS = "\u200c\u200d"
"""Invisible, but part of what is seen: emoji families and several scripts are written with them."""


class SafeText(str):
    """Text that is Markdown already and must not be escaped again."""

    __slots__ = ()


def escape_markdown(text: str) -> SafeText:
    """Escape every character that Discord could read as formatting, a link, an emoji, a timestamp or a mention.

    A backslash before punctuation shows the character itself. Text that is SafeText comes back unchanged.
    """
    if isinstance(text, SafeText):
        return text
    return _escaped_short(text) if len(text) <= _SHORT else _escaped(text)


def _escaped(text: str) -> SafeText:
    if _MARKUP.search(text) is None:
        return SafeText(text)
    return SafeText(_NUMBERED.sub(r"\1\\.", _SPECIAL.sub(r"\\\1", text)))


_escaped_short = functools.lru_cache(maxsize=4_096)(_escaped)
"""Names and values of a dashboard are the same at nearly every rendering."""


def unescape_markdown(text: str) -> str:
    """Return what `escape_markdown` was given: for places that show text as it is, such as the label of a button."""
    return _ESCAPED.sub(r"\1", text)


def one_line(text: str) -> str:
    """Text without line breaks, control characters and marks that turn the direction of what follows."""
    if text.isprintable():
        return " ".join(text.split())
    visible = "".join(
        letter if letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs") else " "
        for letter in text
    )
    return " ".join(visible.split())


def inline_code(text: str) -> SafeText:
    """Text in a monospaced span; back-ticks inside are replaced, for Discord has no escape for them there."""
    return SafeText("`" + (text.replace("`", "ˋ").replace("\n", " ") or " ") + "`")


def code_block(text: str) -> SafeText:
    """Several lines in a monospaced block."""
    return SafeText(f"{_FENCE}\n" + text.replace(_FENCE, "ˋˋˋ") + f"\n{_FENCE}")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shorten_markdown(text: str, limit: int) -> str:
    """Like `shorten`; a code block that was cut in its middle is closed, where the limit leaves room for that."""
    short = shorten(text, limit)
    if short is text or short.count(_FENCE) % 2 == 0:
        return short
    close = f"…\n{_FENCE}"
    opened = short.rfind(_FENCE)
    if limit - len(close) < opened + len(_FENCE) + 1:
        return shorten(text, opened) if opened > 1 else "…"
    return text[: limit - len(close)].rstrip("`") + close

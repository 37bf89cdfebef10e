"""Discord-flavoured Markdown: escaping what came from outside, and the few marks the product writes itself."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\*_~`|>#\[\]()<:@-])")


class SafeText(str):
    """Text that is Markdown already and must not be escaped again."""

    __slots__ = ()


def escape_markdown(text: str) -> SafeText:
    """Escape every character that Discord could read as formatting, a link, an emoji, a timestamp or a mention.

    A backslash before punctuation shows the character itself. Text that is SafeText comes back unchanged.
    """
    if isinstance(text, SafeText):
        return text
    return SafeText(_SPECIAL.sub(r"\\\1", text))


def inline_code(text: str) -> SafeText:
    """Text in a monospaced span; back-ticks inside are replaced, for Discord has no escape for them there."""
    return SafeText("`" + text.replace("`", "ˋ").replace("\n", " ") + "`")


def code_block(text: str) -> SafeText:
    """Several lines in a monospaced block."""
    return SafeText("```\n" + text.replace("```", "ˋˋˋ") + "\n```")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"

"""Which texts are one emoji."""

from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter

from app.bot.domain.blocks.emoji import Emoji, is_emoji

ONES = [
    "🔄",
    "⚙️",
    "⚙",
    "❤️",
    "🖥️",
    "👍🏽",
    "👩‍💻",
    "👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "🇩🇪",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "1️⃣",
    "#️⃣",
    "▶️",
    "🪴",
    "<:plex:123456789012345678>",
    "<a:spin_1:12345678901234567890>",
]
OTHERS = ["a", "1", "#", "🔄🔄", "🔄 ", "漢", "é", ":smile:", "<:x:1>", "<:p-l:123456789012345678>", "\u200d", "🇩", "▰"]


@pytest.mark.parametrize("text", ONES)
def test_emoji(text: str) -> None:
    assert is_emoji(text)
    field = TypeAdapter(Emoji)
    assert field.validate_python(text) == text
    assert re.search(field.json_schema()["pattern"], text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_text_is_refused(text: str) -> None:
    assert not is_emoji(text)
    with pytest.raises(ValueError, match=r"emoji|pattern"):
        TypeAdapter(Emoji).validate_python(text)


def test_an_empty_field_means_none() -> None:
    assert TypeAdapter(Emoji).validate_python("") == ""

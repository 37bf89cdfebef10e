"""Columns of monospaced text."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from app.bot.domain.formatting.monospace import cut, display_width, padded


def test_widths() -> None:
    assert display_width("abc") == 3
    assert display_width("漢字") == 4
    assert display_width("é") == 1  # a letter and a combining accent


@example("\u0300\u0300\u0300\u03000", 3, False)
@given(st.text(), st.integers(1, 50), st.booleans())
def test_padded_text_has_exactly_the_width(text: str, width: int, at_right: bool) -> None:
    shown = padded(text, width, at_right)
    assert display_width(shown) == width
    assert len(shown) <= 2 * width


def test_cut_text_ends_with_an_ellipsis() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("漢字漢字", 4) == "漢…"
    assert cut("abcd", 4) == "abcd"
    assert padded("7", 3, at_right=True) == "  7"

"""Escaping, so that data can never format, mention, link or break out of its line."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.bot.domain.formatting.markdown import (
    SafeText,
    code_block,
    escape_markdown,
    inline_code,
    one_line,
    shorten,
    shorten_markdown,
    unescape_markdown,
)

MARKUP = st.text(st.sampled_from(list("\\*_~`|>#[]()<:@-.1a \n")))


def shown_by_discord(text: str) -> str:
    """What a reader sees of escaped text: a backslash before punctuation shows that character alone.

    Discord's own rule (simple-markdown, `escape`): a backslash before anything but letters, digits and spaces.
    """
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text)


@given(st.one_of(st.text(), MARKUP))
@example("1. first\n2. second")
@example("\\*")
def test_escaped_text_shows_as_it_was(text: str) -> None:
    assert shown_by_discord(escape_markdown(text)) == text
    assert unescape_markdown(escape_markdown(text)) == text


@given(st.one_of(st.text(), MARKUP))
def test_nothing_special_is_left_unescaped(text: str) -> None:
    left = re.sub(r"\\[^0-9A-Za-z\s]", "x", escape_markdown(text))
    assert not set(left) & set("\\*_~`|>#[]()<:@-")
    assert not re.search(r"^\s*\d+\.\s", left, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("@everyone", r"\@everyone"),
        ("<@123>", r"\<\@123\>"),
        ("https://x.org", r"https\://x.org"),
        ("[a](https://b)", r"\[a\]\(https\://b\)"),
        ("-# small", r"\-\# small"),
        ("1. one", r"1\. one"),
        ("1.5 GiB", "1.5 GiB"),
    ],
)
def test_examples(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


def test_safe_text_is_left_alone() -> None:
    assert escape_markdown(SafeText("**bold**")) == "**bold**"
    assert escape_markdown(escape_markdown("*")) == r"\*"


@given(st.text())
def test_one_line_has_no_breaks_or_controls(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", line)


def test_one_line_keeps_joined_emoji() -> None:
    assert one_line("👩‍👩‍👧\tfamily\u202e") == "👩‍👩‍👧 family"


@given(MARKUP)
def test_code_cannot_be_left(text: str) -> None:
    assert inline_code(text).count("`") == 2
    assert code_block(text).count("```") == 2


def test_shorten() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"


@given(MARKUP, MARKUP, st.integers(1, 60))
@example("", "1111111111", 12)
def test_a_shortened_text_fits_and_closes_its_code_block(before: str, code: str, limit: int) -> None:
    text = before.replace("`", "") + code_block(code)
    short = shorten_markdown(text, limit)
    assert 0 < len(short) <= limit
    assert short.count("```") % 2 == 0

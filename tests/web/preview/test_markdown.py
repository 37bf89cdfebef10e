from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.formatting.markdown import escape_markdown
from app.web.preview.markdown import relative_time, to_html

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## Title", "<h2>Title</h2>"),
        ("**bold** *it* __under__ ~~gone~~", "<strong>bold</strong> <em>it</em> <u>under</u> <s>gone</s>"),
        ("one\ntwo", "<p>one<br />\ntwo</p>"),
        ("-# small **x**", '<div class="dc-subtext">small <strong>x</strong></div>'),
        ("text\n-# small", '<p>text</p>\n<div class="dc-subtext">small</div>'),
        ("> quote", "<blockquote>\n<p>quote</p>\n</blockquote>"),
        ("`a|b`", "<code>a|b</code>"),
        ("```\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("||secret **x**||", '<span class="dc-spoiler" tabindex="0">secret <strong>x</strong></span>'),
        ("[label](<https://example.org/a>)", '<a href="https://example.org/a" rel="noopener'),
        ("<#123456789012345678>", '<span class="dc-mention" title="123456789012345678">#channel</span>'),
        ("<:nas:123456789012345678>", '<span class="dc-emoji">:nas:</span>'),
    ],
)  # fmt: skip
def test_marks_of_discord(text: str, html: str) -> None:
    assert html in to_html(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"<t:{int(NOW.timestamp()) - 180}:R>", "3 minutes ago"),
        (f"<t:{int(NOW.timestamp()) + 86_400}:R>", "in 1 day"),
        (f"<t:{int(NOW.timestamp())}>", "01 January 2026 12:00"),
        (f"<t:{int(NOW.timestamp())}:t>", "12:00"),
    ],
)
def test_timestamps_are_shown_as_discord_says_them(text: str, shown: str) -> None:
    html = to_html(text, NOW)
    assert f">{shown}</time>" in html
    assert 'datetime="20' in html


def test_a_time_that_is_none_stays_text() -> None:
    assert "&lt;t:9999999999999:R&gt;" in to_html("<t:9999999999999:R>", NOW)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://example.org/x.png)",
        '[x](https://example.org/"onmouseover="alert(1))',
        "[x]: javascript:alert(1)\n\n[x]",
        '<https://example.org/"><script>alert(1)</script>>',
    ],
)
def test_nothing_in_a_text_becomes_an_element_of_its_own(text: str) -> None:
    html = to_html(text)
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="data' not in html
    assert not any(part.split("=")[0].startswith("on") for part in html.split('" ')[1:])


@given(st.text())
def test_escaped_data_is_shown_as_it_is(text: str) -> None:
    line = " ".join(text.split())
    html = to_html(escape_markdown(f"x{line}x"))
    assert html.count("<") == html.count("<p>") + html.count("</p>")


def test_ages() -> None:
    assert relative_time(NOW - timedelta(days=400), NOW) == "1 year ago"
    assert relative_time(NOW, NOW) == "0 seconds ago"
    assert relative_time(NOW + timedelta(hours=2), NOW) == "in 2 hours"

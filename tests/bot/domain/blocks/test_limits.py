"""One message holds so much and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.blocks.block import (
    Button,
    Buttons,
    Container,
    Gallery,
    Image,
    Option,
    Problem,
    Section,
    Select,
    Separator,
    Stamp,
    Text,
    View,
)
from app.bot.domain.blocks.limits import MAX_CHARACTERS, character_count, component_count, exceeds, fit, fit_lines
from tests.support.rendering import NOW

ROW = Buttons((Button("A", custom_id="a"), Button("B", custom_id="b")))
SECTION = Section((Text("ab"), Text("c")), Image("https://x.org/a.png"))


def test_components_are_counted_through_all_nesting() -> None:
    blocks = (Text("a"), ROW, Select("s", (Option("o", "o"),)), SECTION, Gallery((Image("u"),) * 3), Separator())
    assert [component_count(block) for block in blocks] == [1, 3, 2, 4, 1, 1]
    assert component_count(Container(blocks)) == 13
    assert component_count(Problem("t", "d")) == component_count(Stamp("s", NOW)) == 1


def test_characters_of_all_texts_are_counted() -> None:
    assert character_count(Container((Text("abc"), SECTION, ROW))) == 6
    assert character_count(Problem("title", "detail")) == len("⚠️ **title**\n-# detail")
    assert character_count(Stamp("Last change", NOW)) == len("-# Last change <t:1777636800:R>")


BLOCKS = st.one_of(
    st.text(min_size=1, max_size=2_500).map(Text),
    st.integers(1, 5_000).map(lambda size: Text("x" * size)),
    st.just(ROW),
    st.just(SECTION),
    st.just(Separator()),
    st.text(max_size=500).map(lambda text: Problem(text, text)),
)


@given(st.lists(BLOCKS, max_size=60), st.integers(0, 5))
def test_what_fits_never_exceeds_and_keeps_the_order(blocks: list[Text], reserved: int) -> None:
    kept, left_out = fit(blocks, reserved)
    assert not exceeds(View((*kept, *[Separator()] * reserved, Text("-# 9 more parts do not fit"))))
    assert len(kept) + left_out == len(blocks)
    for before, after in zip(blocks, kept, strict=False):
        assert after == before or (isinstance(after, Text) and after.text.endswith("…"))


def test_a_code_block_that_is_cut_stays_one() -> None:
    (kept,), left_out = fit([Text("```\n" + "x" * 5_000 + "\n```")])
    assert isinstance(kept, Text)
    assert kept.text.endswith("…\n```")
    assert left_out == 0


@given(st.lists(st.text(st.characters(exclude_characters="`"), max_size=40), max_size=30), st.integers(20, 200))
def test_lines_that_do_not_fit_are_counted(lines: list[str], limit: int) -> None:
    shown = fit_lines(lines, limit)
    assert len(shown) <= limit
    if len("\n".join(lines)) <= limit - 20:
        assert shown == "\n".join(lines)


def test_the_notice_counts_what_is_left_out() -> None:
    assert fit_lines(["a" * 10] * 5, 40) == "aaaaaaaaaa\naaaaaaaaaa\n-# … and 3 more"
    assert fit_lines(["a" * 50], 10) == "aaaaaaaaa…"
    assert fit_lines([]) == ""
    assert MAX_CHARACTERS == 4_000

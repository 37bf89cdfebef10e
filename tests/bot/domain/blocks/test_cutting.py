"""A text is cut where it hurts least."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.blocks.cutting import cut_markdown


def pieces(text: str, limit: int) -> list[str]:
    found = []
    while text:
        head, text = cut_markdown(text, limit)
        found.append(head)
        assert len(found) < 1_000
    return found


def plain(text: str) -> str:
    """The text without what cutting adds and takes: spaces, and the back-ticks of code blocks."""
    return re.sub(r"[\s`]", "", text)


def test_what_fits_is_left_alone() -> None:
    assert cut_markdown("a\nb", 60) == ("a\nb", "")


def test_lines_stay_whole() -> None:
    lines = [f"{number} " + "word " * 5 for number in range(40)]
    cut = pieces("\n".join(lines), 200)
    assert [line.strip() for piece in cut for line in piece.split("\n")] == [line.strip() for line in lines]


def test_a_list_moves_as_a_whole_where_that_costs_less_than_half() -> None:
    text = "Intro " * 15 + "\nMore\n- one\n- two\n- three" + " x" * 30
    head, rest = cut_markdown(text, 120)
    assert head.endswith(("Intro", "More"))
    assert rest.startswith(("More\n- one", "- one"))


def test_the_indent_of_a_list_is_kept() -> None:
    text = "- " + "a" * 70 + "\n  - " + "b" * 50
    assert cut_markdown(text, 100)[1].startswith("  - b")


def test_words_stay_whole_in_a_long_line() -> None:
    cut = pieces("word " * 100, 80)
    assert set(" ".join(cut).split()) == {"word"}


def test_an_escape_is_not_split() -> None:
    for piece in pieces("\\*" * 200, 75):
        assert piece.count("\\") * 2 == len(piece)


def test_a_code_block_is_closed_and_opened_again() -> None:
    text = "Log:\n```ansi\n" + "\n".join(f"line {number}" for number in range(100)) + "\n```\nEnd"
    cut = pieces(text, 200)
    assert len(cut) > 3
    for piece in cut:
        assert piece.count("```") % 2 == 0
    assert all(piece.startswith("```ansi\n") for piece in cut[1:-1])
    assert re.findall(r"line (\d+)", "\n".join(cut)) == [str(number) for number in range(100)]


def test_no_empty_code_block_is_left_behind() -> None:
    head, rest = cut_markdown("word " * 15 + "\n```\n" + "x" * 200 + "\n```", 90)
    assert head.count("```") == 0
    assert rest.startswith("```\nx")


@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.sampled_from(["\n", "```", "```py\n", "\\", "- ", " ", "`"])), max_size=60
    ),
    st.integers(60, 300),
)
def test_nothing_is_lost_and_every_piece_fits(parts: list[str], limit: int) -> None:
    text = "".join(parts)
    cut = [piece for piece in pieces(text, limit) if piece or text.strip()]
    if len(text) <= limit:
        assert cut == ([text] if text else [])
        return
    assert all(0 < len(piece) <= limit for piece in cut)
    assert all(piece.strip() for piece in cut)
    if "`" not in text:
        assert plain("".join(cut)) == plain(text)

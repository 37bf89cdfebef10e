"""Taking a part out of a text by a user's regular expression."""

from __future__ import annotations

import pytest

from app.shared.group_patterns import check_group_pattern, find_group
from tests.bot.domain.test_patterns import CATASTROPHIC


@pytest.mark.parametrize(
    ("pattern", "text", "group"),
    [
        (r"\b(\d+) GB", "free 42 GB", "42"),
        (r"load averages?: *([\d.]+)", "load averages: 0.25, 0.1", "0.25"),
        (r"temp: (\d+)", "Küche \ud800 temp: 21", "21"),
        (r"temp: (\d+)", "none", None),
        ("a(b)?", "a", ""),
    ],
)
def test_the_group_is_taken(pattern: str, text: str, group: str | None) -> None:
    check_group_pattern(pattern)
    assert find_group(pattern, text) == group


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_what_takes_other_engines_forever_ends(pattern: str) -> None:
    plain = pattern.replace("(a", "(?:a").replace("(.", "(?:.")
    check_group_pattern(f"({plain})")
    find_group(f"({plain})", "a" * 2_000 + "c")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"\d+", "needs exactly one group"),
        (r"(\d)(\d)", "needs exactly one group"),
        (r"(\d+)(?=x)", "is no regular expression that is possible here: invalid perl operator"),
        (r"(a)\1", "is no regular expression"),
        ("(", "is no regular expression"),
        (r"((?:\pL{100}){9})", "is no regular expression"),
        ("(\ud800)", "is no regular expression"),
    ],
)
def test_a_refusal_says_why(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_group_pattern(pattern)

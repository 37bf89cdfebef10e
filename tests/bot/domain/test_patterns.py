"""Regular expressions of users: what is possible, and that the rest is refused."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.patterns import PATTERN_LIMIT, is_found, pattern_problem


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("error|failed", "it failed", True),
        ("^ok$", "okay", False),
        (r"(?i)^(up|healthy) \(.*\)$", "UP (healthy)", True),
        (r"\d+\.\d*", "12.", True),
        ("a{2,3}b?", "aab", True),
        ("[]x]*[^]y]", "]z", True),
        (r"^(\d{1,3}\.){3}\d{1,3}$", "192.168.1.10", True),
        ("(?P<state>ab)+$", "xabab", True),
        (r"^[\w.-]{1,32}$", "Küche.1", True),
        (r"^\x{10348}\{99999}$", "𐍈{99999}", True),
        (r"^[^\W\d]\\w\p{Greek}$", "a\\wω", True),
        ("(?:in)?active", "inactive", True),
        ("|".join(f"word{number}" for number in range(20)), "word19", True),
        ("end$", "x" * 200 + "end", False),
    ],
)
def test_usual_patterns_work(pattern: str, text: str, found: bool) -> None:
    assert pattern_problem(pattern) is None
    assert is_found(pattern, text) is found


CATASTROPHIC = (
    "(a+)+$",
    "(a|a)*b",
    "(a|aa)+$",
    "(.*a){20}",
    ".*.*.*x",
    "a?" * 30 + "a" * 30,
    "(a|a)" * 20 + "b",
    "(?s:.*.*)",
    "(?i:(a|aa)+)",
)
"""What an engine that tries one way after the other would try for ever."""


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_what_takes_other_engines_forever_ends(pattern: str) -> None:
    assert pattern_problem(pattern) is None
    assert is_found(pattern, "a" * 1_000) in (True, False)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "is no regular expression that is possible here: unclosed group"),
        ("x{99999999999999999999}", "is no regular expression"),
        (r"(a)\1", "backreferences are not supported"),
        (r"(\w+)\1\1", "backreferences are not supported"),
        ("(?P<n>a*)(?P=n)", "is no regular expression"),
        ("(?=a*a*)b", "look-around, including look-ahead and look-behind, is not supported; write it without"),
        ("(?:a{1,50}){1,50}b", "repeats too much; lower the numbers"),
        ("a{0,99999}a{0,99999}a{0,99999}b", "repeats too much"),
        (r"\w{99}", "repeats too much"),
        (r"\pL" * 9, "repeats too much"),
        (r"[!-\w]", "must be a literal"),
        (r"\p{Foo}", "Unicode property not found"),
        (r"\w" * 99, "repeats too much"),
        ("x" * (PATTERN_LIMIT + 1), "longer than 200"),
    ],
)
def test_a_refusal_says_why(pattern: str, problem: str) -> None:
    assert problem in str(pattern_problem(pattern))


_PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\w", "^", "$", "*", "+", "?", "{2}", "{0,9}", "{3,}", "(", "(?:", ")", "|", "*?"]
)


@given(st.lists(_PIECES, max_size=16).map("".join), st.text("ab", max_size=8))
def test_what_is_let_through_finds_what_pythons_own_finds(pattern: str, text: str) -> None:
    if pattern_problem(pattern) is not None:
        return
    found = is_found(pattern, text)
    with contextlib.suppress(re.error):  # such as a repetition of a repetition, which Python has not
        assert found is (re.search(pattern, text) is not None)


@pytest.mark.parametrize("text", ["\ud800", "a\x00", "é" * 100])
def test_any_text_can_be_looked_at(text: str) -> None:
    assert not is_found("(b|c)+", text)

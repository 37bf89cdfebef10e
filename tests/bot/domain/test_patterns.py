"""Regular expressions of users: what is possible, and that the rest is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.patterns import MAX_WAYS, PATTERN_LIMIT, is_found, pattern_problem


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("error|failed", "it failed", True),
        ("^ok$", "okay", False),
        (r"(?i)^(up|healthy) \(.*\)$", "UP (healthy)", True),
        (r"\d+\.\d*", "12.", True),
        ("a{2,3}b?", "aab", True),
        ("[]x]*[^]y]", "]z", True),
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
    "(?:a{1,50}){1,50}b",
    ".*.*.*x",
    "a?" * 30 + "a" * 30,
    "a{0,99999}a{0,99999}a{0,99999}b",
    "(a|a)" * 20 + "b",
    r"(\w+)\1\1",
    "(?=a*a*)b",
    "(?P<n>a*)(?P=n)",
    "(?s:.*.*)",
    "(?i:(a|aa)+)",
)


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_what_could_take_forever_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern) is not None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "is no regular expression"),
        ("x{99999999999999999999}", "is no regular expression"),
        ("[[:alpha:]]*", "is no regular expression"),
        ("(ab)+", "repeats a group at character 5"),
        (r"(a)\1", "refers to a group at character 4"),
        ("(?=a)", "a kind of group at character 1"),
        (".*.*.*", "in too many ways"),
        ("x" * (PATTERN_LIMIT + 1), "longer than 200"),
    ],
)
def test_a_refusal_says_why(pattern: str, problem: str) -> None:
    assert problem in str(pattern_problem(pattern))


_PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\w", "^", "$", "*", "+", "?", "{2}", "{0,9}", "{3,}", "(", "(?:", ")", "|", "*?"]
)


@given(st.lists(_PIECES, max_size=16).map("".join))
def test_no_pattern_is_let_through_that_repeats_what_repeats(pattern: str) -> None:
    if pattern_problem(pattern) is not None:
        return
    re.compile(pattern)
    tree = re._parser.parse(pattern)  # type: ignore[attr-defined]  # Python's own reading, beside ours
    assert _ways(tree) <= 2 * MAX_WAYS


def _ways(tree: object) -> int:
    """In how many ways a parsed pattern can match on a text of 64 characters."""
    ways = 1
    for kind, argument in tree:  # type: ignore[attr-defined]
        name = str(kind)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            repeated = _ways(inner)
            assert repeated == 1 or most == 1, "a repetition within a repetition"
            ways *= max((min(int(most), 64) - least + 1), 1) * repeated
        elif name == "SUBPATTERN":
            ways *= _ways(argument[-1])
        elif name == "BRANCH":
            ways *= sum(_ways(branch) for branch in argument[1])
    return ways

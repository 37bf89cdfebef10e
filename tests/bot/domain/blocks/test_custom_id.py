"""The custom_id carries all state of a click."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bot.domain.blocks.custom_id import CustomId


@given(st.integers(0, 10**18 - 1), st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.text(max_size=50))
def test_a_click_comes_back_as_it_was_made(component: int, verb: str, argument: str) -> None:
    made = CustomId(component, verb, argument)
    assert CustomId.parse(str(made)) == made


@pytest.mark.parametrize("other", ["", "x", "hl:", "hl:1:refresh", "hl:a:refresh:", "hl:1:REFRESH:", "other:1:a:"])
def test_what_others_made_is_not_ours(other: str) -> None:
    assert CustomId.parse(other) is None


def test_an_argument_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="too long for a button: 112 of 100"):
        str(CustomId(1, "action", "x" * 100))

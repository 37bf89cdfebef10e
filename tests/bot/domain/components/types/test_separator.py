"""The separator component."""

from __future__ import annotations

from app.bot.domain.blocks.block import Separator
from tests.support.rendering import render


def test_line_and_space_can_be_chosen() -> None:
    assert render("separator", {}) == (Separator(line=True, large=False),)
    assert render("separator", {"line": False, "large": True}) == (Separator(line=False, large=True),)

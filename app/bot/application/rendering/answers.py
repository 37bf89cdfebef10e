"""What a user gets to see after a click or a command, as blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.bot.domain.blocks.block import Block, Container, Text, View
from app.bot.domain.blocks.limits import fit

RED = 0xF23F43
"""Discord's own red, for what did not work."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A view, shown to the one user alone, or in place of what the clicked message shows.

    `marker` is the one that the message carries, if it is a dashboard's own; `settle` is then told whether Discord took
    the answer.
    """

    view: View
    in_place: bool = False
    marker: int | None = None
    settle: Callable[[bool], None] | None = None


def card(blocks: Iterable[Block], accent: int | None = None) -> View:
    """Return a framed view of as many of the blocks as one message holds.

    Texts are Markdown, escaped where they need it.
    """
    kept, left_out = fit(blocks, reserved_components=2)
    if left_out:
        kept += (Text("-# There is more than one message can show."),)
    return View((Container(kept, accent),))


def notice(text: str, accent: int | None = None) -> View:
    """One paragraph of Markdown."""
    return card((Text(text),), accent)


def refusal(text: str) -> View:
    """Says what did not work; the text is Markdown already."""
    return notice(f"⚠️ {text}", RED)

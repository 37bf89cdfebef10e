"""What the user sees of a run: that it waits, how far it is, and how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from app.bot.application.rendering.answers import RED, card, notice
from app.bot.domain.actions.runs import MAX_OUTPUT, ReplyAddress, RunOutcome, RunState
from app.bot.domain.blocks.block import Text, View
from app.bot.domain.formatting.markdown import code_block, escape_markdown, one_line, shorten

GREEN, GREY, YELLOW = 0x23A55A, 0x80848E, 0xF0B232
"""Discord's own colours for what is well, what is not decided, and what needs a look."""

_SHORT_CHARACTERS, _SHORT_LINES = 1_500, 25
_PROGRESS_CHARACTERS = 300
_SIGNS = {
    RunState.DONE: ("✅", GREEN),
    RunState.FAILED: ("❌", RED),
    RunState.REFUSED: ("⛔", RED),
    RunState.TIMED_OUT: ("⏱️", YELLOW),
    RunState.LOST: ("❓", YELLOW),
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file that goes with an answer."""

    name: str
    text: str


class RunMessages(Protocol):
    """Edits the answers of interactions."""

    async def show(self, reply: ReplyAddress, view: View, attachment: Attachment | None = None) -> bool:
        """Put the view in the place of the answer; whether Discord took it. Never raises for what Discord says."""
        ...


def waiting_view(title: str, *, dry_run: bool = False) -> View:
    """Say that the run was asked for."""
    what = "Trying out" if dry_run else "Running"
    return notice(f"⏳ {what} **{escape_markdown(title)}** …\n-# started <t:{int(time.time())}:R>", GREY)


def progress_view(title: str, progress: str, began: float) -> View:
    """Say that the run is on its way; `began` is a Unix time, which Discord shows as a time that ticks."""
    shown = shorten(one_line(progress), _PROGRESS_CHARACTERS)
    text = f"⏳ **{escape_markdown(title)}**\n{escape_markdown(shown)}\n-# started <t:{int(began)}:R>"
    return notice(text, GREY)


def outcome_view(title: str, outcome: RunOutcome, *, dry_run: bool = False) -> View:
    """How it ended. Output that is short stands in a code block; `attachment_of` gives the file of any other."""
    sign, colour = _SIGNS.get(outcome.state, ("ℹ️", GREY))
    if dry_run and outcome.state is RunState.DONE:
        sign, colour, title = "🔍", GREY, f"{title}: dry run, nothing was done"
    text = Text(f"{sign} **{escape_markdown(title)}**\n{escape_markdown(outcome.result)}")
    if not outcome.output or attachment_of(outcome) is not None:
        return card((text,), colour)
    return card((text, Text(code_block(outcome.output.strip("\n")))), colour)


def attachment_of(outcome: RunOutcome) -> Attachment | None:
    """Return the file for output that is too long for a message."""
    output = outcome.output.strip("\n")
    if len(output) <= _SHORT_CHARACTERS and output.count("\n") < _SHORT_LINES:
        return None
    return Attachment(outcome.output_name, outcome.output)


def capped(output: str) -> str:
    """Output as it is kept: its end, for that is where programs say what went wrong."""
    if len(output) <= MAX_OUTPUT:
        return output
    cut = f"[the first {len(output) - MAX_OUTPUT:,} characters were left out]\n"
    return cut + output[len(cut) - MAX_OUTPUT :]

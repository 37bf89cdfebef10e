"""What commands print: results, addresses, and failures as one line each."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

from rich.console import Console

console = Console(emoji=False)
errors = Console(stderr=True, emoji=False)
"""Neither takes `:100:` in a text for a picture: it may be a line of a file."""


class UsageError(Exception):
    """What was asked for cannot be done; the text is one line that says what to do."""


def announce(line: str) -> None:
    """Print an address where it is seen between the lines of the log."""
    console.print(f"\n[bold green]▸ {plain(line)}[/bold green]\n", soft_wrap=True, highlight=False)
    sys.stdout.flush()


def unforeseen(error: Exception) -> str:
    """One line for an error without a name of its own; where it came from only for those who look for it."""
    if os.environ.get("HOMELAB_LOG_LEVEL", "").upper() == "DEBUG":
        errors.print(plain("".join(traceback.format_exception(error))), soft_wrap=True, highlight=False)
    said = " ".join(str(error).split())[:300]
    return (
        f"This should not have happened: {type(error).__name__}{f': {said}' if said else ''}. "
        "Set HOMELAB_LOG_LEVEL=DEBUG to see where."
    )


def fail(text: str, code: int) -> NoReturn:
    """Print the line and exit with the code."""
    errors.print(f"[red]✗[/red] {plain(text)}", soft_wrap=True, highlight=False)
    sys.stdout.flush()
    raise SystemExit(code)


def plain(text: str) -> str:
    """Return the text without secrets, and with nothing in it that Rich would take for markup."""
    from rich.markup import escape

    from app.logs import redact

    return escape(redact(text))

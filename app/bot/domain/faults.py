"""What may be said of an error that nobody foresaw."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from app.bot.domain.errors import HomelabError


def describe_fault(error: BaseException) -> str:
    """What is shown and logged of an unexpected error: its type and place, not its text (it may hold a secret)."""
    if isinstance(error, TimeoutError):
        return "No answer in time"
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"Unexpected {type(error).__name__}{place}"


def reason_of(error: BaseException) -> str:
    """What a user is told of an error: the text of a foreseen one, else its type and place."""
    return str(error) if isinstance(error, HomelabError) else describe_fault(error)

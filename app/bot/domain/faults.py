"""What may be said of an error that no one foresaw."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from app.bot.domain.errors import HomelabError


def describe_fault(error: BaseException) -> str:
    """Describe an unexpected error by its type and place; its text may hold a secret."""
    if isinstance(error, TimeoutError):
        return "No answer in time"
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"Unexpected {type(error).__name__}{place}"


def reason_of(error: BaseException) -> str:
    """Return what a user is told of an error: the text of a foreseen one, else its type and place."""
    return str(error) if isinstance(error, HomelabError) else describe_fault(error)

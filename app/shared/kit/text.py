"""Text as PostgreSQL takes it: text and jsonb refuse NUL, and UTF-8 has no lone surrogates."""

from __future__ import annotations


def postgres_safe_text(text: str, nul: str = "\ufffd") -> str:
    """Return the text with `nul` in the place of NUL, and a question mark for half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", nul).encode("utf-8", "replace").decode("utf-8")


def is_postgres_safe(text: str) -> bool:
    """Return whether PostgreSQL stores the text as it is."""
    return postgres_safe_text(text) == text

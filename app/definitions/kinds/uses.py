"""Records that cannot go while others refer to them."""

from __future__ import annotations

from collections.abc import Sequence

from app.definitions.errors import FieldError, InvalidRecordError

_MENTIONED_USERS = 10


def refuse_used(users: Sequence[str], what: str) -> None:
    """Raise InvalidRecordError where there are users; it names the first of them."""
    if users:
        more = f" and {len(users) - _MENTIONED_USERS} more" if len(users) > _MENTIONED_USERS else ""
        shown = ", ".join(users[:_MENTIONED_USERS]) + more
        remedy = "Change those first, or switch it off"
        raise InvalidRecordError([FieldError("name", f"cannot be {what} while it is used by {shown}. {remedy}")])

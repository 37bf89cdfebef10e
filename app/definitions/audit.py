"""The audit log of the web admin: who changed what, with whatever could be a secret left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.actors import WebActor
from app.shared.database.models import AuditEntryRow

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(
    r"passw|secret|token|authorization|cookie|credential|private|(^|[_-])(api[_-]?)?key$|^auth$", re.IGNORECASE
)
_REFERENCE = re.compile(r"(?:(?:Bearer|Basic|Token|ApiKey) )?\$\{secret:[^{}]*\}", re.IGNORECASE)
_PASSWORD_IN_ADDRESS = re.compile(r"(//[^/\s:@]*:)[^@/\s]+@")
_LARGEST = 2**53
"""From here on JavaScript, and so every JSON viewer in a browser, rounds whole numbers."""


def masked(value: Any, name: str = "") -> Any:
    """Hide everything that stands under a secret's name; a reference ${secret:name} may be shown."""
    if isinstance(value, Mapping):
        return {str(key): masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, name) for item in value]
    if isinstance(value, str):
        return _masked_text(value, name)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value


def _masked_text(text: str, name: str) -> str:
    if _SECRET_NAME.search(name) and text and not _REFERENCE.fullmatch(text):
        return HIDDEN
    return _PASSWORD_IN_ADDRESS.sub(rf"\1{HIDDEN}@", text)


def record(
    database: AsyncSession,
    actor: WebActor | None,
    action: str,
    target: str,
    *,
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
    guild_id: int | None = None,
    name: str = "",
) -> None:
    """Add a line to the audit log, in the transaction of what it is about. `name` is who tried, without an actor."""
    database.add(
        AuditEntryRow(
            actor_type=actor.kind if actor is not None else "web",
            actor_id=str(actor.user_id) if actor is not None and actor.user_id else "",
            actor_name=actor.name if actor is not None else name[:100],
            guild_id=guild_id,
            action=action,
            target=target,
            outcome=outcome,
            detail=masked(detail or {}),
        )
    )

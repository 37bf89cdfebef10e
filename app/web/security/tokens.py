"""API tokens: shown once, kept as SHA-256, never more powerful than their user."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.actors import WebActor
from app.definitions.roles import Role, lower
from app.shared.database.models import ApiTokenRow, UserRow

PREFIX = "hl_"
"""Makes a leaked token easy to find for scanners and people."""
_USED_EVERY = timedelta(minutes=1)
"""A token that is used a lot does not write its row with every request."""


def new_token() -> str:
    """Return a token with 256 bits of randomness."""
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is stored of a token: SHA-256 in hexadecimal. Random tokens need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def actor_of_token(database: AsyncSession, token: str) -> WebActor | None:
    """Whom a token stands for; None for a token that is unknown, expired, or of a user who is switched off."""
    found = (
        await database.execute(
            select(ApiTokenRow, UserRow)
            .join(UserRow, UserRow.id == ApiTokenRow.user_id)
            .where(ApiTokenRow.token_hash == token_hash(token))
        )
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    now = datetime.now(UTC)
    if not user.enabled or (row.expires_at is not None and row.expires_at <= now):
        return None
    if row.last_used_at is None or now - row.last_used_at > _USED_EVERY:
        await database.execute(update(ApiTokenRow).where(ApiTokenRow.id == row.id).values(last_used_at=now))
        await database.commit()
    return WebActor("api", user.id, f"{user.username} ({row.name})", lower(Role(row.role), Role(user.role)))

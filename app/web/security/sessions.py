"""Sessions: a signed cookie that names the user and the epoch it was made in. Raising the epoch ends them all."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.actors import WebActor
from app.definitions.roles import Role
from app.shared.database.models import UserRow

SESSION_COOKIE = "homelab_session"
SESSION_SECONDS = 14 * 86_400
_SALT = "homelab-session"


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie says: `id` is random and ties the form tokens to it; `user_id` None is a visitor."""

    id: str
    user_id: int | None = None
    epoch: int = 0


class SessionCookies:
    """Signs and reads session cookies, and the form tokens (CSRF) that belong to each."""

    def __init__(self, signing_key: str) -> None:
        self._key = signing_key.encode()
        self._serializer = URLSafeTimedSerializer(signing_key, salt=_SALT)

    def new(self, user: UserRow | None = None) -> Session:
        """Return a new session, of a user or of a visitor."""
        identity = secrets.token_urlsafe(18)
        return Session(identity) if user is None else Session(identity, user.id, user.session_epoch)

    def write(self, session: Session) -> str:
        """Return the cookie's value."""
        return self._serializer.dumps([session.id, session.user_id, session.epoch])

    def read(self, cookie: str | None) -> Session | None:
        """Return the session in a cookie; None when it is missing, forged or too old."""
        if not cookie:
            return None
        try:
            identity, user_id, epoch = self._serializer.loads(cookie, max_age=SESSION_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        return Session(identity, user_id, epoch)

    def form_token(self, session: Session) -> str:
        """Return the token that every form of this session carries."""
        return hmac.new(self._key, f"form:{session.id}".encode(), hashlib.sha256).hexdigest()

    def form_token_matches(self, session: Session, token: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode())


async def actor_of(database: AsyncSession, session: Session | None) -> WebActor | None:
    """Return the user of a session; None for a visitor, a user who is gone or switched off, and an ended session."""
    if session is None or session.user_id is None:
        return None
    user = await database.scalar(select(UserRow).where(UserRow.id == session.user_id))
    if user is None or not user.enabled or user.session_epoch != session.epoch:
        return None
    return WebActor("web", user.id, user.username, Role(user.role), session.id)

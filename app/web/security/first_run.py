"""The first user: made through a link with a one-time token that only the terminal shows."""

from __future__ import annotations

import hashlib
import hmac
import secrets


class FirstRun:
    """A token that lets its holder make the first user. Only its hash is kept; it is gone once used."""

    def __init__(self) -> None:
        self._token_hash: bytes | None = None

    def issue(self) -> str:
        """Return a new token; the one before it is no longer good."""
        token = secrets.token_urlsafe(32)
        self._token_hash = _hash(token)
        return token

    def accepts(self, token: str) -> bool:
        """Whether this is the token."""
        return self._token_hash is not None and hmac.compare_digest(self._token_hash, _hash(token))

    def finish(self) -> None:
        """End the first run: there is a user, and no token is good any more."""
        self._token_hash = None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

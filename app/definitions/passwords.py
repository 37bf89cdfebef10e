"""Passwords: hashed with Argon2id, checked in a thread because that takes a while on purpose."""

from __future__ import annotations

import asyncio

import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200
"""Characters; the upper end keeps a request from costing much memory."""
AT_ONCE = 2
"""Hashes computed at a time: each takes 64 MiB on purpose, and visitors who guess must not take them all."""


class Passwords:
    """Hashes and checks passwords. `hasher` decides how much work that is; the default is argon2-cffi's (RFC 9106)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobody = self._hasher.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        """Return the text to store."""
        async with self._turns:
            return await anyio.to_thread.run_sync(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is right. `stored` None (no such user) takes as long and is never right."""
        async with self._turns:
            return await anyio.to_thread.run_sync(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


def password_problem(password: str) -> str | None:
    """Return what is wrong with a new password; None when it will do."""
    if len(password) < MINIMUM_LENGTH:
        return f"must have at least {MINIMUM_LENGTH} characters"
    if len(password) > MAXIMUM_LENGTH:
        return f"must have at most {MAXIMUM_LENGTH} characters"
    return None

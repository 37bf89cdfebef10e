"""The bot's role and its password. Its rights stand in the migrations, beside the tables they are about."""

from __future__ import annotations

import secrets
from pathlib import Path

import asyncpg

from app.shared.database.core.errors import DatabaseRefusedError
from app.shared.database.core.urls import BOT_ROLE
from app.shared.private_files import read_or_create


def stored_bot_password(data_dir: Path) -> str:
    """Return the password of the bot's role on an external server, made once and kept in `bot_password` (mode 0600)."""
    file = data_dir / "bot_password"
    try:
        return read_or_create(file, lambda: secrets.token_urlsafe(32))
    except OSError as error:
        raise DatabaseRefusedError(
            f"Cannot keep the bot's database password in {file}: {error.strerror}. Give this user write access to the "
            "folder, choose another one with HOMELAB_DATA_DIR, or set HOMELAB_BOT_DATABASE_URL."
        ) from error


async def set_bot_password(connection: asyncpg.Connection, password: str) -> None:
    """Give the bot's role its password. Raises DatabaseRefusedError when the owner may not."""
    literal = await connection.fetchval("SELECT quote_literal($1::text)", password)
    try:
        await connection.execute(f"ALTER ROLE {BOT_ROLE} WITH LOGIN PASSWORD {literal}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseRefusedError(
            f"The role in DATABASE_URL may not set the password of {BOT_ROLE}. Set it yourself "
            f"(ALTER ROLE {BOT_ROLE} LOGIN PASSWORD ...) and give it in HOMELAB_BOT_DATABASE_URL."
        ) from error

"""SQLAlchemy's engine, for the web admin and the migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from app.shared.database.core.connection import CONNECT_SECONDS, decode_json, encode_json
from app.shared.database.core.urls import plain_url


def create_engine(
    url: str, *, application_name: str = "homelab web", pooled: bool = True, pool_size: int = 5
) -> AsyncEngine:
    """Return an async engine on asyncpg.

    It opens no connection yet; `pooled` False closes each connection after its use.

    asyncpg reads the address itself, so that Unix sockets, several hosts and sslmode work as they do for the bot.
    """
    address = plain_url(url)

    async def open_connection() -> asyncpg.Connection:
        return await asyncpg.connect(
            address, timeout=CONNECT_SECONDS, server_settings={"application_name": application_name}
        )

    if not pooled:
        return create_async_engine(
            "postgresql+asyncpg://", async_creator=open_connection, json_serializer=encode_json, poolclass=NullPool
        )
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=open_connection,
        json_serializer=encode_json,
        json_deserializer=decode_json,
        pool_pre_ping=True,
        pool_size=pool_size,
        hide_parameters=True,
    )


@asynccontextmanager
async def open_sessions(url: str, application_name: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Yield sessions on one connection, which is closed at the end of the block."""
    engine = create_engine(url, application_name=application_name, pool_size=1)
    try:
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()

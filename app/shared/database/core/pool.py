"""Pools of connections: the bot's, and the one that the web admin's previews read through."""

from __future__ import annotations

import asyncpg

from app.shared.database.core.connection import CONNECT_SECONDS, set_codecs
from app.shared.database.core.urls import plain_url

STATEMENT_SECONDS = 30.0
"""No statement of the bot takes longer unless the server hangs: it then fails and is retried later."""


async def create_pool(
    url: str,
    *,
    application_name: str = "homelab bot",
    min_size: int = 1,
    max_size: int = 8,
    read_only: bool = False,
) -> asyncpg.Pool:
    """Return a pool with JSON codecs; call wait_for_database first, whose errors are the readable ones.

    Statements are prepared once per connection (asyncpg's cache); repositories retry one that an ALTER TABLE outdated.
    With `min_size` 0 the first query connects. `read_only` has the server refuse every write.
    """
    return await asyncpg.create_pool(
        plain_url(url),
        min_size=min_size,
        max_size=max_size,
        init=set_codecs,
        timeout=CONNECT_SECONDS,
        command_timeout=STATEMENT_SECONDS,
        server_settings={
            "application_name": application_name,
            **({"default_transaction_read_only": "on"} if read_only else {}),
        },
    )

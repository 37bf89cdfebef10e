"""Whether a bot is alive, as far as its heartbeat in the database tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.shared.database.models import BotInstanceRow

STALE_AFTER = timedelta(seconds=90)
"""A bot that was not seen for so long is taken for stopped: several heartbeats are missing."""


async def heartbeat_age(database: AsyncSession) -> float | None:
    """Seconds since any bot process was last seen; None when there was never one."""
    last = await database.scalar(select(func.max(BotInstanceRow.last_seen_at)))
    return None if last is None else max(0.0, (datetime.now(UTC) - last).total_seconds())

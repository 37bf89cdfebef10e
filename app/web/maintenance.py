"""What the web program does beside serving pages: it keeps the revisions bounded."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.shared.database.models import SettingRow
from app.shared.kit.outage import Outage

log = structlog.get_logger(__name__)

KEEP_DAYS_SETTING = "revisions.keep_days"
KEEP_DAYS = 365
MOST_PER_RECORD = 1_000
"""Newest revisions kept of one record, so that a script that changes a row all day fills no disk."""
_EVERY_SECONDS = 6 * 3600.0

_TOO_OLD = text("DELETE FROM revisions WHERE at < now() - make_interval(days => :days)")
_TOO_MANY = text("""
    DELETE FROM revisions WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY table_name, row_key ORDER BY id DESC) AS place FROM revisions
        ) AS placed WHERE place > :most
    )
""")


async def tend(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Prune now and every six hours, until cancelled. A database that is away is tried again the next time."""
    outage = Outage(log, "old revisions could not be removed")
    while True:
        try:
            pruned = await prune_revisions(sessions)
        except (SQLAlchemyError, OSError) as error:
            outage.fail(str(error).splitlines()[0])
        else:
            outage.recover()
            if pruned:
                log.info("removed old revisions", count=pruned)
        await asyncio.sleep(_EVERY_SECONDS)


async def prune_revisions(sessions: async_sessionmaker[AsyncSession], *, most: int = MOST_PER_RECORD) -> int:
    """Remove revisions older than the setting `revisions.keep_days`, and beyond `most` of a record; how many."""
    async with sessions() as database:
        setting = await database.get(SettingRow, KEEP_DAYS_SETTING)
        days = keep_days(None if setting is None else setting.value)
        too_old = await database.execute(_TOO_OLD, {"days": days})
        too_many = await database.execute(_TOO_MANY, {"most": most})
        await database.commit()
    return int(too_old.rowcount + too_many.rowcount)  # type: ignore[attr-defined]  # a DELETE's result counts


def keep_days(value: object) -> int:
    """Return the setting's value as days, at least one; what is no number means the default."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 1:
        return KEEP_DAYS
    return int(min(value, 36_500))

"""Has the bot try out a data source: only the bot reaches the lab."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.definitions.actors import WebActor
from app.shared.database.models import SourceTestRow
from app.web.heartbeat import STALE_AFTER, heartbeat_age

LONGEST_SECONDS = 60.0
_GRACE_SECONDS = 4.0
"""What a bot gets to hear of a test, and to write down what came of it."""
_POLL_SECONDS = 0.1
_KEPT = timedelta(hours=1)
NO_BOT = "The bot did not answer. Is it running? The web admin cannot reach the lab by itself."


@dataclass(frozen=True, slots=True)
class SourceTestRequest:
    """What to read. `integration` is an integration that is not stored yet: config_schema and definition."""

    type: str
    config: Mapping[str, Any]
    timeout_seconds: float = 10.0
    integration: Mapping[str, Any] | None = None


async def run_source_test(
    sessions: async_sessionmaker[AsyncSession], actor: WebActor, asked: SourceTestRequest
) -> dict[str, Any]:
    """Return what one reading gives, as `SourceTestResult.to_json` has it; its `error` says so where no bot answers."""
    seconds = min(max(asked.timeout_seconds, 0.1), LONGEST_SECONDS)
    if not await _has_bot(sessions):
        return _unanswered()
    async with sessions.begin() as database:
        await database.execute(delete(SourceTestRow).where(SourceTestRow.requested_at < func.now() - _KEPT))
        row = SourceTestRow(
            requested_by=actor.name,
            type=asked.type,
            config=dict(asked.config),
            integration=None if asked.integration is None else dict(asked.integration),
            timeout_seconds=seconds,
        )
        database.add(row)
        await database.flush()
        test_id = row.id
    deadline = asyncio.get_running_loop().time() + seconds + _GRACE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        async with sessions() as database:
            found = await database.get(SourceTestRow, test_id)
            if found is not None and found.result is not None:
                return found.result
    return _unanswered()


async def _has_bot(sessions: async_sessionmaker[AsyncSession]) -> bool:
    async with sessions() as database:
        age = await heartbeat_age(database)
    return age is not None and age < STALE_AFTER.total_seconds()


def _unanswered() -> dict[str, Any]:
    return {"error": NO_BOT, "reading": None, "requests": [], "answers": {}, "missing": {}}

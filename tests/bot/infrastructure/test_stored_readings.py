"""What the collection hands over is what PostgreSQL takes, whatever a source returned."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from app.bot.application.runtime.storable import storable
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import SourceState
from app.bot.infrastructure.repositories import PostgresDataSources
from tests.support import factories

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_reading_full_of_oddities_is_stored(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    source = await factories.data_source(owner)
    reading = storable(
        Reading(
            NOW,
            Status.DEGRADED,
            "nul\0 and \ud800",
            (Metric("m\0", float("inf"), "u\udfff", {"l\0": "\ud800"}), Metric("huge", 1e15)),
            {"t\0": [{"k\ud800": ["\0", float("nan"), 10**400, {1: object}, NOW]}]},
        )
    )
    state = SourceState(source["id"], reading.status, reading.message, reading, "error", NOW, 0.5)
    await PostgresDataSources(bot_pool).save_states([state])
    stored = await owner.fetchrow("SELECT * FROM source_states")
    assert stored is not None
    assert Reading.from_json(stored["reading"]).metrics == reading.metrics
    assert stored["message"] == "nul and ?"

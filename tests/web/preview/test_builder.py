"""Previews read the database as the bot does, and can change nothing in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from starlette.requests import Request

from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.readings.reading import Metric, Reading
from app.shared.database.core.pool import create_pool
from app.shared.templating import SandboxedTemplates
from app.web.preview.builder import PreviewBuilder
from app.web.security.database_errors import DATABASE_ERRORS, explained
from tests.support import factories
from tests.support.database import Database


async def test_previews_connect_when_asked_and_can_write_nothing(database: Database, owner: asyncpg.Connection) -> None:
    dashboard = await factories.dashboard(owner, name="Lab")
    pool = await create_pool(database.bot_url, min_size=0, max_size=2, read_only=True)
    assert pool.get_size() == 0
    builder = PreviewBuilder(component_types, SandboxedTemplates(FILTERS, finalize), pool)
    assert (await builder.build(dashboard["id"])).dashboard.name == "Lab"
    with pytest.raises(LookupError):
        await builder.build(dashboard["id"] + 1)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await pool.execute("DELETE FROM source_states")
    await builder.close()
    pool.terminate()


async def test_previews_at_the_same_time_take_each_reading_in_once(
    database: Database, owner: asyncpg.Connection
) -> None:
    source = await factories.data_source(owner, name="lab")
    reading = Reading(datetime.now(UTC), metrics=(Metric("load", 1.0),))
    await factories.source_state(
        owner, data_source_id=source["id"], polled_at=reading.taken_at, reading=reading.to_json()
    )
    pool = await create_pool(database.bot_url, min_size=0, max_size=2, read_only=True)
    builder = PreviewBuilder(component_types, SandboxedTemplates(FILTERS, finalize), pool)
    await asyncio.gather(builder.refresh(), builder.refresh())
    await builder.close()
    pool.terminate()
    assert builder.readings.recent("lab", "load", {}) == [1.0]


async def test_a_preview_without_a_database_is_told_apart_from_a_fault() -> None:
    pool = await create_pool("postgresql://nobody@127.0.0.1:1/nowhere", min_size=0, read_only=True)
    builder = PreviewBuilder(component_types, SandboxedTemplates(FILTERS, finalize), pool)
    with pytest.raises(DATABASE_ERRORS) as caught:
        await builder.build(1)
    await builder.close()
    pool.terminate()
    answer = explained(Request({"type": "http", "path": "/dashboards/1", "headers": []}), caught.value)
    assert answer is not None
    assert answer.status_code == 503

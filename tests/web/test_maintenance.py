"""Revisions do not grow without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.shared.database.core.engine import create_engine
from app.web.maintenance import KEEP_DAYS, keep_days, prune_revisions, tend
from tests.support import factories
from tests.support.database import Database
from tests.support.waiting import until


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_engine(database.owner_url, pool_size=2)
    yield async_sessionmaker(engine)
    await engine.dispose()


async def age(owner: asyncpg.Connection, days: int) -> None:
    await owner.execute("UPDATE revisions SET at = now() - make_interval(days => $1)", days)


async def test_a_year_is_kept(owner: asyncpg.Connection, sessions: async_sessionmaker[AsyncSession]) -> None:
    await factories.service(owner)
    await age(owner, 364)
    assert await prune_revisions(sessions) == 0
    await age(owner, 366)
    await factories.service(owner)
    assert await prune_revisions(sessions) == 1
    assert await owner.fetchval("SELECT count(*) FROM revisions") == 1


async def test_the_setting_decides(owner: asyncpg.Connection, sessions: async_sessionmaker[AsyncSession]) -> None:
    await factories.service(owner)
    await age(owner, 8)
    await factories.setting(owner, key="revisions.keep_days", value=7)
    assert await prune_revisions(sessions) == 1
    assert await owner.fetchval("SELECT table_name FROM revisions") == "settings"


async def test_of_one_record_the_newest_are_kept(
    owner: asyncpg.Connection, sessions: async_sessionmaker[AsyncSession]
) -> None:
    await factories.service(owner)
    await factories.action(owner)
    for number in range(9):
        await owner.execute("UPDATE services SET name = $1", f"name{number}")

    assert await prune_revisions(sessions, most=4) == 6

    kept = await owner.fetch("SELECT after ->> 'name' AS name FROM revisions WHERE table_name = 'services' ORDER BY id")
    assert [record["name"] for record in kept] == ["name5", "name6", "name7", "name8"]
    assert await owner.fetchval("SELECT count(*) FROM revisions WHERE table_name = 'actions'") == 1


@pytest.mark.parametrize(
    ("value", "days"),
    [(30, 30), (1.5, 1), (0, KEEP_DAYS), (-1, KEEP_DAYS), (True, KEEP_DAYS), ("30", KEEP_DAYS), (None, KEEP_DAYS)],
)
def test_what_is_no_number_of_days_means_the_default(value: object, days: int) -> None:
    assert keep_days(value) == days
    assert keep_days(1e300) == 36_500


async def test_it_is_done_at_the_start(owner: asyncpg.Connection, sessions: async_sessionmaker[AsyncSession]) -> None:
    await factories.service(owner)
    await age(owner, 400)
    task = asyncio.create_task(tend(sessions))

    async def gone() -> bool:
        return await owner.fetchval("SELECT count(*) FROM revisions") == 0

    await until(gone, "the old revision is removed")
    task.cancel()
    await asyncio.wait([task])

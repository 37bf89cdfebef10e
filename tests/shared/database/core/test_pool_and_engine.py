"""The bot's pool and the web's engine reach the same database, whatever its address."""

from __future__ import annotations

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncSession

from app.shared.database.core.connection import TOO_DEEP
from app.shared.database.core.engine import create_engine
from app.shared.database.models import DashboardComponentRow, DashboardRow, GuildRow
from tests.support.database import Database


async def test_the_pool_is_the_bot(bot_pool: asyncpg.Pool) -> None:
    row = await bot_pool.fetchrow("SELECT current_user AS name, current_setting('application_name') AS program")
    assert row is not None
    assert (row["name"], row["program"]) == ("homelab_bot", "homelab bot")
    assert await bot_pool.fetchval("""SELECT '{"a": 1}'::jsonb""") == {"a": 1}


async def test_the_engine_is_the_owner(database: Database) -> None:
    engine = create_engine(database.owner_url)
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT current_user, current_setting('application_name')"))).one()
    await engine.dispose()
    assert tuple(row) == ("postgres", "homelab web")


async def test_models_see_what_triggers_set(database: Database) -> None:
    engine = create_engine(database.owner_url)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        guild = GuildRow(id=5)
        board = DashboardRow(
            guild_id=5, name="lab", components=[DashboardComponentRow(type="heading", config={"a": 1})]
        )
        session.add_all([guild, board])
        await session.commit()
        assert (board.version, board.refresh_rate, board.layout) == (1, 15, {})
        created = board.updated_at
        board.description = "new"
        await session.commit()
        assert board.version > 1
        assert board.updated_at > created
    async with AsyncSession(engine) as session:
        found = (await session.scalars(select(DashboardComponentRow))).one()
        assert found.config == {"a": 1}
    await engine.dispose()


async def test_a_connection_that_was_lost_is_replaced(database: Database, owner: asyncpg.Connection) -> None:
    engine = create_engine(database.owner_url, pool_size=1)
    async with engine.connect() as connection:
        number = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", number)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() != number
    await engine.dispose()


async def test_errors_do_not_repeat_what_was_sent(database: Database) -> None:
    engine = create_engine(database.owner_url)
    async with engine.connect() as connection:
        with pytest.raises((DBAPIError, InterfaceError)) as caught:
            await connection.execute(text("SELECT CAST(:secret AS text) FROM nowhere"), {"secret": "marlin"})
    await engine.dispose()
    assert "marlin" not in str(caught.value)


async def test_json_that_is_nested_too_deeply_harms_no_other_row(
    database: Database, bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    deep = '{"a": ' + "[" * 3_000 + "]" * 3_000 + "}"
    await owner.execute("INSERT INTO guilds (id) VALUES (5)")
    await owner.execute(
        f"INSERT INTO dashboards (guild_id, name, layout) VALUES (5, 'deep', '{deep}'::text::jsonb), "
        "(5, 'fine', '{\"frame\": false}'::text::jsonb)"
    )
    expected = {"deep": TOO_DEEP, "fine": {"frame": False}}

    assert dict(await bot_pool.fetch("SELECT name, layout FROM dashboards")) == expected
    engine = create_engine(database.owner_url)
    async with AsyncSession(engine) as session:
        assert {row.name: row.layout for row in await session.scalars(select(DashboardRow))} == expected
    await engine.dispose()

"""Statements on a schema that changes, and failures that have names."""

from __future__ import annotations

import asyncpg
import pytest

from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.infrastructure.repositories.postgres import StorageRefusedError, execute, fetch, storable
from app.shared.database.core.pool import create_pool
from tests.support import factories
from tests.support.database import Database


async def test_a_statement_cached_before_a_new_column_gives_the_column(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    await factories.service(owner)
    for _ in range(3):
        assert "team" not in dict((await fetch(bot_pool, "SELECT * FROM services"))[0])
    await owner.execute("ALTER TABLE services ADD COLUMN team text DEFAULT 'night'")
    assert (await fetch(bot_pool, "SELECT * FROM services"))[0]["team"] == "night"
    await owner.execute(
        "ALTER TABLE services ALTER COLUMN team DROP DEFAULT, ALTER COLUMN team TYPE jsonb USING to_jsonb(team)"
    )
    assert (await fetch(bot_pool, "SELECT * FROM services"))[0]["team"] == "night"
    await owner.execute("ALTER TABLE services DROP COLUMN team")
    assert "team" not in dict((await fetch(bot_pool, "SELECT * FROM services"))[0])


async def test_every_connection_of_the_pool_recovers(database: Database, owner: asyncpg.Connection) -> None:
    await factories.service(owner)
    pool = await create_pool(database.bot_url, min_size=3, max_size=3)
    connections = [await pool.acquire() for _ in range(3)]
    for connection in connections:
        await connection.fetch("SELECT * FROM services")
    for connection in connections:
        await pool.release(connection)
    await owner.execute("ALTER TABLE services ADD COLUMN team text")
    for _ in range(6):
        assert "team" in dict((await fetch(pool, "SELECT * FROM services"))[0])
    pool.terminate()


async def test_a_missing_table_and_a_missing_column_have_names(bot_pool: asyncpg.Pool) -> None:
    with pytest.raises(MissingTableError, match="nowhere"):
        await fetch(bot_pool, "SELECT * FROM nowhere")
    with pytest.raises(MissingColumnError, match="nothing"):
        await fetch(bot_pool, "SELECT nothing FROM services")


async def test_a_table_dropped_under_a_cached_statement_is_missing(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    await fetch(bot_pool, "SELECT * FROM services")
    await owner.execute("ALTER TABLE services RENAME TO gone")
    with pytest.raises(MissingTableError):
        await fetch(bot_pool, "SELECT * FROM services")


async def test_a_table_the_role_may_not_read_is_missing_too(bot_pool: asyncpg.Pool) -> None:
    with pytest.raises(MissingTableError, match="role may not use it: permission denied for table users"):
        await fetch(bot_pool, "SELECT * FROM users")


async def test_a_lost_connection_is_unavailable_and_the_next_try_works(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    with pytest.raises(StorageUnavailableError):
        await fetch(bot_pool, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert (await fetch(bot_pool, "SELECT 1 AS one"))[0]["one"] == 1


async def test_a_server_that_is_gone_is_unavailable(database: Database) -> None:
    pool = await create_pool(database.bot_url)
    await pool.close()
    with pytest.raises(StorageUnavailableError):
        await fetch(pool, "SELECT 1")


async def test_what_breaks_a_rule_is_refused_without_the_rows_values(
    bot_pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    service = await factories.service(owner)
    with pytest.raises(StorageRefusedError, match="status_is_known") as caught:
        await execute(
            bot_pool, "INSERT INTO service_states (service_id, status) VALUES ($1, $2)", service["id"], "marlin"
        )
    assert "marlin" not in str(caught.value)


@pytest.mark.parametrize("argument", ["not a number", 2**70, "nul\x00"])
async def test_an_argument_that_cannot_be_sent_is_refused(bot_pool: asyncpg.Pool, argument: object) -> None:
    kind = "text" if argument == "nul\x00" else "bigint"
    with pytest.raises(StorageRefusedError):
        await fetch(bot_pool, f"SELECT $1::{kind}", argument)


async def test_texts_from_outside_are_made_storable(bot_pool: asyncpg.Pool) -> None:
    text = storable("nul\x00 lone \ud800 fine ü")
    assert (await fetch(bot_pool, "SELECT $1::text AS text", text))[0]["text"] == "nul\ufffd lone ? fine ü"
    assert storable(None) is None
    assert storable("") == ""

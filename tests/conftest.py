"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from app.shared.database.core.pool import create_pool
from tests.support.database import TEMPLATE, Database, Server, owner_connection, running_server

pytest_plugins = [
    "tests.support.services",
    "tests.support.programs.containers",
    "tests.support.programs.downloads",
    "tests.support.programs.monitoring",
    "tests.support.programs.network",
    "tests.support.programs.servers",
]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server of this test session, with a migrated template database."""
    with running_server() as server:
        yield server


@pytest.fixture
async def database(postgres: Server) -> AsyncIterator[Database]:
    """A migrated database of this test's own."""
    database = await postgres.create(TEMPLATE)
    yield database
    await postgres.drop(database)


@pytest.fixture
async def empty_database(postgres: Server) -> AsyncIterator[Database]:
    """A database of this test's own without any table."""
    database = await postgres.create()
    yield database
    await postgres.drop(database)


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the test's database."""
    connection = await owner_connection(database)
    yield connection
    await connection.close()


@pytest.fixture
async def bot_pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    """The bot's pool on the test's database."""
    pool = await create_pool(database.bot_url, max_size=4)
    yield pool
    pool.terminate()

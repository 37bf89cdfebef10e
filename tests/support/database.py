"""Databases for tests: one real PostgreSQL for the session, and for each test a clone of a migrated template."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.shared.database.core.connection import connect
from app.shared.database.core.embedded import EmbeddedPostgres
from app.shared.database.core.migrate import upgrade
from app.shared.database.core.urls import BOT_ROLE

TEMPLATE = "homelab_template"
_FAST = {
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "64MB",
    "file_copy_method": "clone",
}
"""Nothing here has to survive a crash of the machine."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one test."""

    name: str
    owner_url: str
    bot_url: str


class Server:
    """The server of a test session."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self.embedded = embedded
        self._numbers = itertools.count(1)

    def database(self, name: str) -> Database:
        return Database(name, self.embedded.url_of(name), self.embedded.url_of(name, BOT_ROLE))

    async def create(self, template: str = "template0") -> Database:
        """A new database, empty or cloned from TEMPLATE."""
        name = f"test_{next(self._numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.database(name)

    async def drop(self, database: Database) -> None:
        """Remove a database, and end whoever is still connected to it."""
        await self.run(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")

    async def run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.embedded.url_of("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def make_template(self) -> None:
        await self.run(f"CREATE DATABASE {TEMPLATE}")
        await upgrade(self.embedded.url_of(TEMPLATE))


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder with a short path (a Unix socket's has some 100 bytes) that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="homelab-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """A server with the migrated template; stopped and removed afterwards."""
    with private_folder() as folder, EmbeddedPostgres(folder / "postgres", parameters=_FAST, durable=False) as embedded:
        server = Server(embedded)
        asyncio.run(server.make_template())
        yield server


async def owner_connection(database: Database) -> asyncpg.Connection:
    """The owner's connection, with JSON codecs."""
    return await connect(database.owner_url, f"test {os.getpid()}")

"""A database with the builtin types and no definition, and a folder for files."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.definitions.actors import command_line_actor
from app.definitions.files.applying import apply_documents
from app.definitions.files.documents import read_files
from app.definitions.files.environment import escape_references
from app.definitions.files.exporting import Definitions, read_definitions
from app.definitions.files.plan import Plan
from app.definitions.files.problems import ConfigurationError
from app.definitions.store import RecordStore
from app.shared.database.core.engine import create_engine
from app.shared.yaml import write_yaml
from tests.support.catalog import seed
from tests.support.database import TEMPLATE, Server, owner_connection

FILE = "lab.yaml"


@dataclass(frozen=True)
class Lab:
    """What tests of files need."""

    owner: asyncpg.Connection
    owner_url: str
    sessions: async_sessionmaker[AsyncSession]
    store: RecordStore
    folder: Path

    def write(self, text: str, name: str = FILE) -> Path:
        """A file of this text, without the indentation that all its lines have."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    async def apply(
        self,
        text: str | Path,
        *,
        prune: bool = False,
        dry_run: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> Plan:
        path = self.write(text) if isinstance(text, str) else text
        documents = read_files([path], variables or {})
        return await apply_documents(
            self.sessions, self.store, command_line_actor(), documents, prune=prune, dry_run=dry_run
        )

    async def problems(self, text: str | Path, **options: Any) -> list[str]:
        """What is wrong with the text, without the folder's name; asserted to change nothing."""
        before = await self.rows()
        try:
            await self.apply(text, **options)
        except ConfigurationError as error:
            assert await self.rows() == before
            return [str(problem).replace(f"{self.folder}/", "") for problem in error.problems]
        raise AssertionError("nothing is wrong with it")

    async def export(self, guild: str | int | None = None) -> Definitions:
        async with self.sessions() as database:
            return await read_definitions(database, guild)

    async def export_text(self) -> str:
        return write_yaml(escape_references(await self.export()))

    async def rows(self) -> dict[str, list[str]]:
        """Every row of every table that could change, as text."""
        tables = await self.owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return {
            name: sorted(str(row["found"]) for row in await self.owner.fetch(f"SELECT t::text AS found FROM {name} t"))
            for (name,) in tables
        }


async def make_template(postgres: Server) -> str:
    """The name of a database with the builtin types and the integrations, to be cloned."""
    database = await postgres.create(TEMPLATE)
    await seed(database)
    owner = await owner_connection(database)
    for table in ("services", "commands", "data_sources", "actions"):
        await owner.execute(f"DELETE FROM {table}")
    await owner.execute("DELETE FROM component_types WHERE kind = 'template'")
    await owner.close()
    return database.name


@asynccontextmanager
async def open_lab(postgres: Server, template: str, store: RecordStore, folder: Path) -> AsyncIterator[Lab]:
    """A database of its own, gone afterwards."""
    database = await postgres.create(template)
    owner = await owner_connection(database)
    engine = create_engine(database.owner_url, pool_size=2)
    try:
        yield Lab(owner, database.owner_url, async_sessionmaker(engine, expire_on_commit=False), store, folder)
    finally:
        await engine.dispose()
        await owner.close()
        await postgres.drop(database)

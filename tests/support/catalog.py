"""The catalog in a test's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from app.cli.provision import builtin_types, catalog_store
from app.definitions import seeding
from app.definitions.builtin_types import TypeDescription
from app.definitions.store import RecordStore
from app.shared.database.core.engine import open_sessions
from tests.support.database import Database


@cache
def store() -> RecordStore:
    return catalog_store()


async def seed(
    database: Database, types: Sequence[TypeDescription] | None = None, texts: Mapping[str, str] | None = None
) -> None:
    async with open_sessions(database.owner_url, "test") as sessions:
        await seeding.seed(sessions, store, builtin_types() if types is None else types, texts)


async def seed_dashboards(database: Database, guild_id: int, channels: Mapping[str, int | None]) -> None:
    async with open_sessions(database.owner_url, "test") as sessions:
        await seeding.seed_dashboards(sessions, store, guild_id, channels)

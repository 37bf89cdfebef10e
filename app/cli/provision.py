"""Making a database ready: waiting for it, migrating it, and bringing the catalog in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel

from app.bot.application.service_types import SERVICE_CONFIGS
from app.bot.domain.components.types import component_types
from app.bot.infrastructure.actions import action_types
from app.bot.infrastructure.sources import source_types
from app.bot.interface.commands import command_types
from app.definitions.builtin_types import TypeDescription, describe
from app.definitions.seeding import seed
from app.definitions.store import RecordStore, record_store
from app.settings import Settings
from app.shared.database.core.connection import connect, wait_for_database
from app.shared.database.core.engine import open_sessions
from app.shared.database.core.migrate import upgrade
from app.shared.database.core.opening import open_database
from app.shared.database.core.urls import DatabaseUrls


@contextmanager
def database_of(settings: Settings) -> Iterator[DatabaseUrls]:
    """Yield the database that the settings name; the embedded one runs as long as the block. Raises DatabaseError."""
    owner = settings.database_url.get_secret_value() if settings.database_url else None
    bot = settings.bot_database_url.get_secret_value() if settings.bot_database_url else None
    with open_database(settings.data_dir, owner, bot) as urls:
        yield urls


async def prepare(urls: DatabaseUrls) -> None:
    """Wait for the database, migrate it and seed the catalog. Safe to repeat. Raises DatabaseError."""
    await wait_for_database(urls.owner)
    await upgrade(urls.owner, urls.bot_password)
    await seed_catalog(urls.owner)


async def seed_catalog(owner_url: str) -> None:
    """Describe every builtin type, and add what of the catalog was never added."""
    async with open_sessions(owner_url, "homelab seed") as sessions:
        await seed(sessions, catalog_store, builtin_types())


async def add_guild(owner_url: str, guild_id: int, name: str) -> None:
    """Add the row of a guild, which dashboards belong to, unless it is there."""
    connection = await connect(owner_url, "homelab seed")
    try:
        await connection.execute(
            "INSERT INTO guilds (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", guild_id, name
        )
    finally:
        await connection.close()


def catalog_store() -> RecordStore:
    """Return the store that definitions of the program itself are saved through."""
    return record_store(config_models())


def config_models() -> dict[str, dict[str, type[BaseModel]]]:
    """Return the config models by the kind of record that has the config: what JSON Schema alone cannot check."""
    return {
        "data-sources": dict(source_types.items()),
        "services": dict(SERVICE_CONFIGS),
        "actions": dict(action_types.items()),
        "commands": dict(command_types.items()),
    }


def builtin_types() -> list[TypeDescription]:
    """Every type that is a Python file, described for the web admin."""
    return [
        *describe("component_types", component_types.items()),
        *describe("data_source_types", source_types.items()),
        *describe("service_types", SERVICE_CONFIGS.items()),
        *describe("action_types", action_types.items()),
        *describe("command_types", command_types.items()),
    ]

"""What Alembic runs: on the connection that it is given, or on the database of the environment."""

from __future__ import annotations

import asyncio
import re

from alembic import context
from sqlalchemy import Connection

from app.settings import load_settings
from app.shared.database.core.engine import create_engine
from app.shared.database.core.opening import open_database
from app.shared.database.models import Base

OTHERS = re.compile(r"_p\d{8}$|^pgqueuer")
"""Partitions of history come and go with time, and the tables of the job queue are PgQueuer's: no models of ours."""


def run(connection: Connection) -> None:
    """All steps in one transaction: a migration that fails leaves the database as it was."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=False,
        include_name=lambda name, kind, _parents: kind != "table" or OTHERS.search(name or "") is None,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on(url: str) -> None:
    """Connect to the owner's address and run."""
    engine = create_engine(url, application_name="homelab migrations", pooled=False)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


def run_from_the_command_line() -> None:
    """Migrate the database that DATABASE_URL names, or the embedded one."""
    settings = load_settings()
    url = settings.database_url.get_secret_value() if settings.database_url else None
    with open_database(settings.data_dir, url) as urls:
        asyncio.run(run_on(urls.owner))


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    run_from_the_command_line()

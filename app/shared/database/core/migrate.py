"""Brings the schema up to date, and says how it stands against this program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.shared.database import migrations
from app.shared.database.core.connection import connect
from app.shared.database.core.engine import create_engine
from app.shared.database.core.errors import MigrationFailedError, SchemaTooNewError, SchemaTooOldError
from app.shared.database.core.roles import set_bot_password

_MIGRATION_LOCK = 0x484F4D454C4142
"""The advisory lock (“HOMELAB”) that keeps two processes from migrating at the same time."""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """How a database stands: `current` None has no tables yet; `known` False has a revision from a newer program."""

    current: str | None
    head: str
    pending: tuple[str, ...]
    known: bool = True

    @property
    def up_to_date(self) -> bool:
        """Whether schema and program belong together."""
        return self.known and not self.pending


def config() -> Config:
    """Alembic's configuration for the packaged migrations."""
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


async def upgrade(owner_url: str, bot_password: str | None = None) -> SchemaStatus:
    """Apply what is pending, in one transaction, and give the bot's role its password if there is one.

    Several processes may call it at once. Raises SchemaTooNewError, MigrationFailedError, or what `connect` raises.
    """
    before = await status(owner_url)
    if not before.known:
        raise _too_new(before)
    if before.pending:
        await _run(owner_url)
    if bot_password is not None:
        connection = await connect(owner_url, "homelab migrations")
        try:
            await set_bot_password(connection, bot_password)
        finally:
            await connection.close()
    return await status(owner_url)


async def status(url: str) -> SchemaStatus:
    """How the database stands; the bot's address will do. Raises what `connect` raises."""
    connection = await connect(url, "homelab status")
    try:
        current = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        current = None
    finally:
        await connection.close()
    return compare(current)


def compare(current: str | None) -> SchemaStatus:
    """How a database at revision `current` stands against this program."""
    scripts = ScriptDirectory.from_config(config())
    head = scripts.get_current_head() or ""
    try:
        pending = [script.revision for script in scripts.iterate_revisions(head, current or "base")]
    except RevisionError:  # the revision is in none of our files
        return SchemaStatus(current, head, (), known=False)
    return SchemaStatus(current, head, tuple(reversed(pending)))


async def check(url: str) -> SchemaStatus:
    """Return the status when schema and program belong together. Raises SchemaTooOldError or SchemaTooNewError."""
    found = await status(url)
    if not found.known:
        raise _too_new(found)
    if found.pending:
        count = len(found.pending)
        raise SchemaTooOldError(
            f"The database is at revision {found.current or 'none'}, this program needs {found.head} "
            f"({count} migration{'s' if count > 1 else ''} to apply). Run: homelab db upgrade"
        )
    return found


def _too_new(found: SchemaStatus) -> SchemaTooNewError:
    return SchemaTooNewError(
        f"The database is at revision {found.current}, which this program (up to {found.head}) does not know: a newer "
        "version of homelab upgraded it. Install that version, or restore the database from before."
    )


async def _run(owner_url: str) -> None:
    engine = create_engine(owner_url, application_name="homelab migrations", pooled=False)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            await connection.run_sync(_apply)
    except DBAPIError as error:
        reason = str(error.orig).split(": ", 1)[-1]
        raise MigrationFailedError(
            f"The database could not be upgraded: {reason}. Nothing was changed. The role in DATABASE_URL must own the "
            "database and may need CREATEROLE once; or have an administrator run: CREATE ROLE homelab_bot LOGIN"
        ) from error
    finally:
        await engine.dispose()


def _apply(connection: Connection) -> None:
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")

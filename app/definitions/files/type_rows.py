"""Types that are rows of a database, as the schema for editors needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from app.bot.domain.integrations.definition import config_schema_of
from app.definitions.files.schema import KnownType
from app.shared.database.core.connection import connect
from app.shared.database.core.errors import DatabaseRefusedError

_OWN = {"component_types": "template", "data_source_types": "declarative"}


async def own_types(owner_url: str) -> list[KnownType]:
    """The types that are rows and switched on. Raises DatabaseError."""
    connection = await connect(owner_url, "homelab schema")
    try:
        return [
            KnownType(table, row["name"], row["description"] or row["title"], _schema(table, row["config_schema"]))
            for table, kind in _OWN.items()
            for row in await connection.fetch(
                f"SELECT * FROM {table} WHERE kind = $1 AND enabled ORDER BY name",  # noqa: S608  # one of _OWN
                kind,
            )
        ]
    except asyncpg.UndefinedTableError as error:
        raise DatabaseRefusedError("The database has no tables yet. Run: homelab db upgrade.") from error
    finally:
        await connection.close()


def _schema(table: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return config_schema_of(schema) if table == "data_source_types" else schema

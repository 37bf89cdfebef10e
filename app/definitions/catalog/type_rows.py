"""The catalog's types that are rows: component types made of others, and declared data source types (integrations).

They are added once, and renewed by a new version of the program until somebody changes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import asyncpg

from app.shared.yaml import read_yaml

_KINDS = {"component_types": "template", "data_source_types": "declarative"}
_CONTENT = ("title", "description", "config_schema", "definition")


def template_types() -> dict[str, dict[str, Any]]:
    """The component types by name."""
    return _rows("component_types", "component_types")


def integrations() -> dict[str, dict[str, Any]]:
    """The declared data source types by name."""
    return _rows("integrations", "data_source_types")


def comes_along(table: str, row: Any) -> bool:
    """Whether a row of a table of types is one of the catalog's, as the catalog has it."""
    if table not in _KINDS:
        return False
    known = _digests()[table].get(row.name)
    return known is not None and known == digest({column: getattr(row, column) for column in _CONTENT})


@cache
def _digests() -> dict[str, dict[str, str]]:
    tables = {"component_types": template_types(), "data_source_types": integrations()}
    return {table: {name: digest(row) for name, row in rows.items()} for table, rows in tables.items()}


async def seed_types(connection: asyncpg.Connection, seeded: set[str]) -> None:
    """Add what was never added, and renew what is still as it was added; `seeded` remembers a digest of each.

    One that a user changed or deleted stays so. `connection` is the owner's, with JSON codecs.
    """
    await _seed(connection, "component_types", template_types(), seeded)
    await _seed(connection, "data_source_types", integrations(), seeded)


async def _seed(
    connection: asyncpg.Connection, table: str, rows: Mapping[str, Mapping[str, Any]], seeded: set[str]
) -> None:
    known = dict(mark.split("@", 1) for mark in seeded if mark.startswith(f"{table}/") and "@" in mark)
    for name, row in rows.items():
        key, now = f"{table}/{name}", digest(row)
        before = known.get(key)
        if before == now:
            continue
        if before is None:
            await connection.execute(
                f"INSERT INTO {table} (name, kind, title, description, config_schema, definition) "  # noqa: S608  # one of two
                "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                name,
                _KINDS[table],
                *(row[column] for column in _CONTENT),
            )
        else:
            await _renew(connection, table, row, before)
            seeded.discard(f"{key}@{before}")
        seeded.add(f"{key}@{now}")


async def _renew(connection: asyncpg.Connection, table: str, row: Mapping[str, Any], before: str) -> None:
    """Bring a row up to date, unless somebody changed it since it was added."""
    stored = await connection.fetchrow(
        f"SELECT * FROM {table} WHERE name = $1 AND kind = $2 FOR UPDATE",  # noqa: S608  # one of two
        row["name"],
        _KINDS[table],
    )
    if stored is not None and digest(dict(stored)) == before:
        await connection.execute(
            f"UPDATE {table} SET title = $2, description = $3, config_schema = $4, definition = $5 "  # noqa: S608
            "WHERE name = $1",
            row["name"],
            *(row[column] for column in _CONTENT),
        )


def _rows(folder_name: str, section: str) -> dict[str, dict[str, Any]]:
    folder = files("app.definitions.catalog") / folder_name
    entries = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name
    )
    rows = [read_yaml(entry.read_text(encoding="utf-8"), entry.name).data()[section][0] for entry in entries]
    return {row["name"]: row for row in rows}


def digest(row: Mapping[str, Any]) -> str:
    """A mark of what a row says."""
    content = json.dumps([row[column] for column in _CONTENT], sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()

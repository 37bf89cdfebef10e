"""The catalog's component types that are made of others: added once, renewed until somebody changes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import asyncpg
import yaml

_TABLE = "component_types"
_CONTENT = ("title", "description", "config_schema", "definition")


def template_types() -> dict[str, dict[str, Any]]:
    """The rows by name."""
    folder = files("app.catalog") / _TABLE
    entries = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name
    )
    rows = [yaml.safe_load(entry.read_text(encoding="utf-8")) for entry in entries]
    return {row["name"]: row for row in rows}


async def seed_template_types(connection: asyncpg.Connection, seeded: set[str]) -> None:
    """Add what was never added, and renew what is still as it was added; `seeded` remembers a digest of each.

    One that a user changed or deleted stays so. `connection` is the owner's, with JSON codecs.
    """
    known = dict(mark.split("@", 1) for mark in seeded if mark.startswith(f"{_TABLE}/") and "@" in mark)
    for name, row in template_types().items():
        key, now = f"{_TABLE}/{name}", digest(row)
        before = known.get(key)
        if before == now:
            continue
        if before is None:
            await connection.execute(
                "INSERT INTO component_types (name, kind, title, description, config_schema, definition) "
                "VALUES ($1, 'template', $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                name,
                *(row[column] for column in _CONTENT),
            )
        else:
            await _renew(connection, row, before)
            seeded.discard(f"{key}@{before}")
        seeded.add(f"{key}@{now}")


async def _renew(connection: asyncpg.Connection, row: Mapping[str, Any], before: str) -> None:
    """Bring a row up to date, unless somebody changed it since it was added."""
    stored = await connection.fetchrow(
        "SELECT * FROM component_types WHERE name = $1 AND kind = 'template' FOR UPDATE", row["name"]
    )
    if stored is not None and digest(dict(stored)) == before:
        await connection.execute(
            "UPDATE component_types SET title = $2, description = $3, config_schema = $4, definition = $5 "
            "WHERE name = $1",
            row["name"],
            *(row[column] for column in _CONTENT),
        )


def digest(row: Mapping[str, Any]) -> str:
    """A mark of what a row says."""
    content = json.dumps([row[column] for column in _CONTENT], sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()

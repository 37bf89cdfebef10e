"""Bringing the catalog into the database: what is missing is added once, what a user changed or removed stays so."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import asyncpg
from pydantic import BaseModel

from app.definitions.catalog.type_rows import seed_types
from app.shared.yaml import read_yaml

SEEDED_SETTING = "catalog.seeded"
"""The setting that remembers what was added, so that a row someone deleted does not come back."""

_TABLES = ("services", "commands", "data_sources", "actions")
_TYPE_TABLES = ("component_types", "data_source_types", "service_types", "action_types", "command_types")
_TABLES_WITH_KINDS = ("component_types", "data_source_types")


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """A builtin type as the admin knows it: the row of one of the type tables."""

    table: str
    name: str
    title: str
    description: str
    config_schema: Mapping[str, Any]


def describe(table: str, models: Iterable[tuple[str, type[BaseModel]]]) -> list[TypeDescription]:
    """Describe the types of one registry by their config models: the class's title and docstring, and JSON Schema."""
    if table not in _TYPE_TABLES:
        raise ValueError(f"{table} is no table of types")
    return [
        TypeDescription(
            table,
            name,
            model.model_config.get("title") or name,
            _first_paragraph(model),
            ordered(model.model_json_schema()),
        )
        for name, model in models
    ]


def ordered(schema: Any) -> Any:
    """A JSON Schema whose properties say their order, for forms: JSONB keeps none."""
    if isinstance(schema, list):
        return [ordered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: ordered(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {
            name: {**part, "propertyOrder": position} if isinstance(part, dict) else part
            for position, (name, part) in enumerate(made["properties"].items())
        }
    return made


async def seed(connection: asyncpg.Connection, types: Iterable[TypeDescription]) -> None:
    """Describe the builtin types anew and add the catalog's rows that were never added, in one transaction.

    `connection` is the owner's, with JSON codecs. Safe to repeat.
    """
    async with connection.transaction():
        await act_as_catalog(connection)
        for description in types:
            await _describe_type(connection, description)
        seeded = await _seeded(connection)
        for table in _TABLES:
            for row in _load(files("app.definitions.catalog") / f"{table}.yaml")[table]:
                key = f"{table}/{row['name']}"
                if key not in seeded:
                    await insert_row(connection, table, row)
                    seeded.add(key)
        await seed_types(connection, seeded)
        await _remember(connection, seeded)


async def seed_dashboards(connection: asyncpg.Connection, guild_id: int, channels: Mapping[str, int | None]) -> None:
    """Add the catalog's dashboards to a guild; `channels` gives the channel of each by its key (`this-machine`).

    A dashboard that was added to this guild before, or one of the same name, is left as it is.
    """
    async with connection.transaction():
        await act_as_catalog(connection)
        seeded = await _seeded(connection)
        for key, definition in dashboards().items():
            mark = f"dashboards/{guild_id}/{key}"
            if mark not in seeded:
                await insert_dashboard(connection, guild_id, channels.get(key), definition)
                seeded.add(mark)
        await _remember(connection, seeded)


def dashboards() -> dict[str, dict[str, Any]]:
    """The catalog's dashboards by key, each with its components in order. A file's number is its place, not its key."""
    folder = files("app.definitions.catalog") / "dashboards"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
    return {entry.name.removesuffix(".yaml").partition("-")[2]: _load(entry)["dashboards"][0] for entry in found}


async def _describe_type(connection: asyncpg.Connection, description: TypeDescription) -> None:
    # Rows that say this already are not touched: each touch is a change that every reader is told of.
    if description.table in _TABLES_WITH_KINDS:  # a new builtin type takes the name of one that people made
        await connection.execute(
            f"UPDATE {description.table} SET kind = 'builtin' WHERE name = $1 AND kind <> 'builtin'",  # noqa: S608  # one of the two
            description.name,
        )
    await connection.execute(
        f"""
        INSERT INTO {description.table} AS known (name, title, description, config_schema) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE
        SET title = excluded.title, description = excluded.description, config_schema = excluded.config_schema
        WHERE (known.title, known.description, known.config_schema)
          IS DISTINCT FROM (excluded.title, excluded.description, excluded.config_schema)
        """,  # noqa: S608  # the table is one of _TYPE_TABLES
        description.name,
        description.title,
        description.description,
        dict(description.config_schema),
    )


async def insert_dashboard(
    connection: asyncpg.Connection, guild_id: int, channel_id: int | None, definition: Mapping[str, Any]
) -> None:
    """Insert a dashboard with its components, unless one of its name is there."""
    columns = {key: value for key, value in definition.items() if key != "components"}
    dashboard_id = await insert_row(
        connection, "dashboards", {**columns, "guild_id": guild_id, "channel_id": channel_id}
    )
    if dashboard_id is None:
        return
    for position, component in enumerate(definition["components"]):
        row = {**component, "dashboard_id": dashboard_id, "position": position}
        await insert_row(connection, "dashboard_components", row)


async def insert_row(connection: asyncpg.Connection, table: str, row: Mapping[str, Any]) -> int | None:
    """Insert a row unless one of its name is there; the new id, or None."""
    names = ", ".join(row)
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    new_id: int | None = await connection.fetchval(
        f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING RETURNING id",  # noqa: S608  # the catalog's own names
        *row.values(),
    )
    return new_id


async def act_as_catalog(connection: asyncpg.Connection) -> None:
    """Have the revisions of this transaction say who made these rows."""
    actor = json.dumps({"type": "catalog", "name": "catalog"})
    await connection.execute("SELECT set_config('homelab.actor', $1, true)", actor)


async def _seeded(connection: asyncpg.Connection) -> set[str]:
    # Two programs may start at once: the second waits here and finds what the first has added.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('homelab.catalog'))")
    value = await connection.fetchval("SELECT value FROM settings WHERE key = $1", SEEDED_SETTING)
    return set(value or [])


async def _remember(connection: asyncpg.Connection, seeded: set[str]) -> None:
    await connection.execute(
        """
        INSERT INTO settings AS known (key, value, description) VALUES ($1, $2, $3)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE known.value IS DISTINCT FROM excluded.value
        """,
        SEEDED_SETTING,
        sorted(seeded),
        "What the catalog has added; take an entry out to have it added again",
    )


def _load(file: Traversable) -> Any:
    return read_yaml(file.read_text(encoding="utf-8"), file.name).data()


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())

"""The definitions of a database as files have them: no ids of rows, no secrets, nothing that is as it is by default."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.files.documents import GUILD
from app.definitions.files.entries import Entries, Resolver, defaults, read_resolver, readable
from app.definitions.files.environment import escape_references
from app.definitions.files.references import secrets_in
from app.definitions.files.sections import DASHBOARDS, EVERYWHERE, NEEDED_SECRETS, SECTIONS, Section
from app.shared.database.models import DashboardComponentRow, DashboardRow
from app.shared.differences import same
from app.shared.yaml import write_yaml

SCHEMA_FILE = "homelab.schema.json"
_MODELINE = "# yaml-language-server: $schema={}\n"
_LONGEST_NAME = 60
Definitions = dict[str, Any]
"""Sections by name, as they stand in one file; `secrets` are the names of secrets that the others refer to."""


async def read_definitions(database: AsyncSession, guild: str | int | None = None) -> Definitions:
    """All definitions; with `guild` (id or name) only what belongs to that server. Raises UnknownNameError."""
    resolver = await read_resolver(database, Entries())
    only = None if guild is None else resolver.known_guild(guild)
    found: Definitions = {}
    for section in SECTIONS.values():
        entries = await _entries(database, section, resolver, only)
        if entries:
            found[section.name] = entries
    secrets = sorted(set(secrets_in(found)))
    return {**found, NEEDED_SECRETS: secrets} if secrets else found


async def _entries(
    database: AsyncSession, section: Section, resolver: Resolver, only: int | None
) -> list[dict[str, Any]]:
    of_guild = section.kind.guild
    if only is not None and of_guild is None:
        return []
    columns = section.kind.row.__mapper__.columns
    order = [columns[name] for name in section.identity]
    found: Sequence[Any] = (await database.scalars(select(section.kind.row).order_by(*order))).all()
    rows = [row for row in found if section.kind.is_in_files(row) and not section.comes_along(row)]
    if only is not None and of_guild is not None:
        rows = [row for row in rows if getattr(row, of_guild) == only]
    components = {} if section.parts is None else await _components(database, section.parts, rows)
    entries: list[dict[str, Any]] = []
    for row in rows:
        entry = _entry(section, row, resolver)
        if section.parts is not None:
            entry[section.parts.name] = components.get(row.id, [])
        if entry not in entries:
            entries.append(entry)
    return entries


async def _components(
    database: AsyncSession, section: Section, dashboards: Iterable[DashboardRow]
) -> dict[int, list[dict[str, Any]]]:
    columns = DashboardComponentRow
    statement = (
        select(columns)
        .where(columns.dashboard_id.in_([row.id for row in dashboards]))
        .order_by(columns.dashboard_id, columns.position, columns.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in await database.scalars(statement):
        values = _fields(section, section.kind.entered(row))
        found.setdefault(row.dashboard_id, []).append(values)
    return found


def _entry(section: Section, row: Any, resolver: Resolver) -> dict[str, Any]:
    values = section.kind.entered(row)
    entry = _fields(section, values)
    if section.of_guilds:
        number = values["guild_id"]
        entry = {"guild": EVERYWHERE if number is None else resolver.guild_name(number), **entry}
    return entry


def _fields(section: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say more than the default, the identity first, by the names that files have."""
    known = defaults(section.kind)
    names = [*section.identity, *(name for name in section.kind.fields if name not in section.identity)]
    return {
        section.file_field(name): readable(name, values[name])
        for name in names
        if name not in section.file.left_out
        and name != "guild_id"
        and not (name in known and same(known[name], values[name]))
    }


def one_file(definitions: Definitions) -> str:
    """Everything as the text of one file."""
    return _file(definitions, SCHEMA_FILE)


def folder(definitions: Definitions) -> dict[str, str]:
    """Return the texts of the files of a folder, by their paths in it."""
    files = {}
    for name, entries in definitions.items():
        if name not in (DASHBOARDS.name, NEEDED_SECRETS):
            files[f"{name}.yaml"] = _file(_with_secrets({name: entries}), SCHEMA_FILE)
    for path, dashboard in _dashboard_files(definitions.get(DASHBOARDS.name, ())):
        files[str(path)] = _file(_with_secrets({DASHBOARDS.name: [dashboard]}), f"../{SCHEMA_FILE}")
    return files


def _dashboard_files(dashboards: Any) -> Iterator[tuple[PurePosixPath, Mapping[str, Any]]]:
    taken: set[str] = set()
    for dashboard in dashboards:
        wanted = name = _file_name(dashboard["name"])
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name)
        yield PurePosixPath(DASHBOARDS.name, f"{name}.yaml"), dashboard


def _file_name(name: str) -> str:
    """Return a name that every file system takes: letters and digits of ASCII in lower case, with dashes between."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST_NAME].strip("-") or "dashboard"


def _with_secrets(definitions: Definitions) -> Definitions:
    secrets = sorted(set(secrets_in(definitions)))
    return {**definitions, NEEDED_SECRETS: secrets} if secrets else definitions


def _file(definitions: Definitions, schema: str) -> str:
    """Return the text of a file. The server of all its dashboards stands at its top, once."""
    guilds = {dashboard["guild"] for dashboard in definitions.get(DASHBOARDS.name, ())}
    if len(guilds) == 1:
        without = [
            {key: value for key, value in dashboard.items() if key != "guild"}
            for dashboard in definitions[DASHBOARDS.name]
        ]
        definitions = {GUILD: next(iter(guilds)), **definitions, DASHBOARDS.name: without}
    parts = [write_yaml(escape_references({name: value})) for name, value in definitions.items()]
    return _MODELINE.format(schema) + "\n".join(parts)

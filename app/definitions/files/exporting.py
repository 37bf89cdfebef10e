"""The definitions of a database as files have them: no ids of rows, no secrets, nothing that is as it is by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.files.entries import Entries
from app.definitions.files.records import Resolver, defaults, read_resolver, readable
from app.definitions.files.references import secrets_in
from app.definitions.files.sections import (
    COMPONENTS,
    DASHBOARDS,
    EVERYWHERE,
    GUILDS,
    NAMED_COMPONENTS,
    NEEDED_SECRETS,
    PERMISSION_GRANTS,
    SECTIONS,
    Section,
)
from app.definitions.store import entered_values
from app.shared.database.models import DashboardComponentRow, DashboardRow
from app.shared.differences import same

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
    if only is not None and not section.of_guilds and section is not GUILDS:
        return []
    columns = section.kind.row.__mapper__.columns
    order = [columns[name] for name in section.identity]
    found: Sequence[Any] = (await database.scalars(select(section.kind.row).order_by(*order))).all()
    rows = [row for row in found if section.manages(row) and not section.comes_along(row)]
    if only is not None:
        rows = [row for row in rows if (row.id if section is GUILDS else row.guild_id) == only]
    components = await _components(database, rows) if section is DASHBOARDS else {}
    entries: list[dict[str, Any]] = []
    for row in rows:
        entry = _entry(section, row, resolver)
        if section is DASHBOARDS:
            entry[NAMED_COMPONENTS] = components.get(row.id, [])
        if entry not in entries or section is not PERMISSION_GRANTS:
            entries.append(entry)
    return entries


async def _components(database: AsyncSession, dashboards: Iterable[DashboardRow]) -> dict[int, list[dict[str, Any]]]:
    columns = DashboardComponentRow
    statement = (
        select(columns)
        .where(columns.dashboard_id.in_([row.id for row in dashboards]))
        .order_by(columns.dashboard_id, columns.position, columns.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in await database.scalars(statement):
        values = _fields(COMPONENTS, entered_values(COMPONENTS.kind, row))
        found.setdefault(row.dashboard_id, []).append(values)
    return found


def _entry(section: Section, row: Any, resolver: Resolver) -> dict[str, Any]:
    values = entered_values(section.kind, row)
    entry = _fields(section, values)
    if section.of_guilds:
        number = values["guild_id"]
        entry = {"guild": EVERYWHERE if number is None else resolver.guild_name(number), **entry}
    return entry


def _fields(section: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say more than the default, the identity first, by the names that files have."""
    known = defaults(section.kind)
    names = [*section.identity, *(name for name in section.kind.fields if name not in section.identity)]
    return {
        section.file_field(name): readable(name, values[name])
        for name in names
        if name not in section.left_out
        and name != "guild_id"
        and not (name in known and same(known[name], values[name]))
    }

"""What the selects of the forms offer, read from the database once per request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.bot.domain.permissions import KINDS, PERMISSIONS
from app.definitions.kinds.base import RecordKind
from app.shared.database.models import (
    ActionRow,
    ChannelRow,
    CommandRow,
    DashboardComponentRow,
    DashboardRow,
    DataSourceRow,
    GuildRow,
    PermissionGrantRow,
    SourceStateRow,
)

Choices = list[tuple[str, str]]
Loader = Callable[[AsyncSession], Awaitable[Choices]]
_MAX_METRICS = 500


async def guilds(database: AsyncSession) -> Choices:
    """Servers by name."""
    rows = await database.scalars(select(GuildRow).order_by(GuildRow.name, GuildRow.id))
    return [(str(row.id), row.name or str(row.id)) for row in rows]


async def channels(database: AsyncSession) -> Choices:
    """Channels as “#name (server)”."""
    statement = (
        select(ChannelRow, GuildRow.name)
        .outerjoin(GuildRow, GuildRow.id == ChannelRow.guild_id)
        .order_by(GuildRow.name, ChannelRow.position, ChannelRow.name)
    )
    found = await database.execute(statement)
    return [(str(row.id), f"#{row.name} ({guild or row.guild_id})") for row, guild in found]


async def dashboards(database: AsyncSession) -> Choices:
    """Dashboards as “name (server)”."""
    statement = (
        select(DashboardRow, GuildRow.name)
        .join(GuildRow, GuildRow.id == DashboardRow.guild_id)
        .order_by(DashboardRow.name, GuildRow.name)
    )
    found = await database.execute(statement)
    return [(str(row.id), f"{row.name} ({guild or row.guild_id})") for row, guild in found]


async def permissions(_database: AsyncSession) -> Choices:
    """Permissions, with what they let people do."""
    return [*((name, f"{name}: {what}") for name, what in PERMISSIONS.items()), ("*", "*: everything")]


async def scopes(database: AsyncSession) -> Choices:
    """Return what a grant can be about: all, all of a kind, each thing there is, and what grants name already."""
    tables: dict[str, Any] = dict(zip(KINDS, (ActionRow, DataSourceRow, DashboardRow, CommandRow), strict=True))
    found = ["*"]
    for kind, table in tables.items():
        names = await database.scalars(select(table.name).distinct().order_by(table.name))
        found += [f"{kind}:*", *(f"{kind}:{name}" for name in names)]
    found += list(await database.scalars(select(PermissionGrantRow.scope).distinct().order_by("scope")))
    return [(scope, "all" if scope == "*" else scope) for scope in dict.fromkeys(found)]


def types_of(types: RecordKind) -> Loader:
    """Return the types of a kind such as component-types, by title."""
    table: Any = types.row

    async def load(database: AsyncSession) -> Choices:
        rows = await database.scalars(select(table).order_by(table.name))
        return [(row.name, row.title or row.name) for row in rows if getattr(row, "enabled", True)]

    return load


def words(*pairs: tuple[str, str]) -> Loader:
    """Return a fixed set of choices."""

    async def load(database: AsyncSession) -> Choices:
        return list(pairs)

    return load


async def of_request(request: Request, name: str, loader: Loader) -> Choices:
    """Return the choices of a field, loaded once for this request."""
    loaded: dict[str, Choices] = request.scope["state"].setdefault("choices", {})
    if name not in loaded:
        loaded[name] = await loader(request.state.session)
    return loaded[name]


async def hints(request: Request) -> dict[str, list[str]]:
    """Names that configs often hold, offered while typing: sources, their metrics, actions and pages."""
    database: AsyncSession = request.state.session
    readings = await database.scalars(select(SourceStateRow.reading).where(SourceStateRow.reading.is_not(None)))
    metrics = {
        str(metric.get("name"))
        for reading in readings
        if isinstance(reading, dict)
        for metric in reading.get("metrics", ())
        if isinstance(metric, dict)
    }
    pages = await database.scalars(
        select(DashboardComponentRow.page).where(DashboardComponentRow.page.is_not(None)).distinct()
    )
    return {
        "source": list(await database.scalars(select(DataSourceRow.name).order_by(DataSourceRow.name))),
        "metric": sorted(metrics)[:_MAX_METRICS],
        "action": list(await database.scalars(select(ActionRow.name).order_by(ActionRow.name))),
        "page": sorted(page for page in pages if page),
    }

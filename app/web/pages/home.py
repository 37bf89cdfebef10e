"""The overview: the bot, the dashboards and their problems, the sources, the services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.bot.domain.formatting.units import format_value
from app.shared.database.models import (
    BotInstanceRow,
    ChannelRow,
    DashboardComponentRow,
    DashboardMessageRow,
    DashboardPlacementRow,
    DashboardRow,
    DataSourceRow,
    GuildRow,
    ServiceRow,
    ServiceStateRow,
    SourceStateRow,
)
from app.web.context import database_of
from app.web.heartbeat import STALE_AFTER
from app.web.pages.render import pages_of

router = APIRouter(include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
_BOTS_SHOWN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PlacementShown:
    """Where a dashboard is shown, and what is wrong there."""

    channel: str
    state: str
    problems: Sequence[Any]
    error: str | None
    edited_at: datetime | None
    pace: str
    """How often Discord lets this channel's messages be edited; empty while that is not known."""


@dataclass(frozen=True, slots=True)
class DashboardShown:
    """A dashboard on the overview."""

    row: DashboardRow
    guild: str
    components: int
    placements: Sequence[PlacementShown]


@router.get("/")
async def home(request: Request, database: Database) -> Response:
    """Return the whole page, or for HTMX the part that refreshes itself."""
    now = datetime.now(UTC)
    values = {
        "title": "Overview",
        "now": now,
        "bots": await _bots(database, now),
        "stale_after": STALE_AFTER,
        "dashboards": await dashboards_shown(database),
        "sources": (await database.execute(_sources())).all(),
        "services": (await database.execute(_services())).all(),
    }
    name = "pages/home_parts.html" if request.headers.get("hx-request") else "pages/home.html"
    return pages_of(request).render(request, name, values)


async def _bots(database: AsyncSession, now: datetime) -> list[BotInstanceRow]:
    """Return the processes seen lately; without any, the one seen last."""
    statement = select(BotInstanceRow).order_by(BotInstanceRow.last_seen_at.desc())
    lately = list(await database.scalars(statement.where(BotInstanceRow.last_seen_at > now - _BOTS_SHOWN).limit(20)))
    alive = [bot for bot in lately if now - bot.last_seen_at < STALE_AFTER]
    return alive or list(await database.scalars(statement.limit(1)))


async def dashboards_shown(database: AsyncSession, dashboard_id: int | None = None) -> list[DashboardShown]:
    """Dashboards by name, with where they are shown."""
    counted = (
        select(func.count())
        .where(DashboardComponentRow.dashboard_id == DashboardRow.id)
        .correlate(DashboardRow)
        .scalar_subquery()
    )
    statement = select(DashboardRow, GuildRow.name, counted).join(GuildRow).order_by(DashboardRow.name)
    placed = (
        select(DashboardPlacementRow, DashboardMessageRow, ChannelRow.name)
        .outerjoin(DashboardMessageRow, DashboardMessageRow.placement_id == DashboardPlacementRow.id)
        .outerjoin(ChannelRow, ChannelRow.id == DashboardPlacementRow.channel_id)
        .where(DashboardPlacementRow.removed.is_(False))
        .order_by(DashboardPlacementRow.id, DashboardMessageRow.position)
    )
    if dashboard_id is not None:
        statement = statement.where(DashboardRow.id == dashboard_id)
        placed = placed.where(DashboardPlacementRow.dashboard_id == dashboard_id)
    paces = await _paces(database)
    placements: dict[int, list[PlacementShown]] = {}
    seen: set[int] = set()
    for placement, message, channel in await database.execute(placed):
        shown = PlacementShown(
            f"#{channel}" if channel else f"channel {placement.channel_id}",
            message.state if message else "posting",
            placement.problems if placement.id not in seen else (),
            message.error if message else None,
            (message.edited_at or message.posted_at) if message else None,
            describe_pace(paces.get(str(placement.channel_id))),
        )
        seen.add(placement.id)
        placements.setdefault(placement.dashboard_id, []).append(shown)
    found = await database.execute(statement)
    return [DashboardShown(row, guild, count, placements.get(row.id, [])) for row, guild, count in found]


def describe_pace(pace: Any) -> str:
    """Return what the bot learned of one channel, as a sentence; `pace` is seconds between edits, `young` and `old`."""
    if not isinstance(pace, dict) or not isinstance(pace.get("young"), int | float):
        return ""
    text = f"Discord takes an edit every {format_value(pace['young'], 'seconds')} here"
    if isinstance(pace.get("old"), int | float):
        text += f", of messages older than an hour every {format_value(pace['old'], 'seconds')}"
    return text


async def _paces(database: AsyncSession) -> dict[str, Any]:
    """Paces by channel, from the process seen last."""
    newest = select(BotInstanceRow.metrics).order_by(BotInstanceRow.last_seen_at.desc()).limit(1)
    channels = (await database.scalar(newest) or {}).get("channels")
    return channels if isinstance(channels, dict) else {}


def _sources() -> Any:
    return (
        select(DataSourceRow, SourceStateRow)
        .outerjoin(SourceStateRow, SourceStateRow.data_source_id == DataSourceRow.id)
        .order_by(DataSourceRow.name)
    )


def _services() -> Any:
    return (
        select(ServiceRow, ServiceStateRow)
        .outerjoin(ServiceStateRow, ServiceStateRow.service_id == ServiceRow.id)
        .order_by(ServiceRow.name)
    )

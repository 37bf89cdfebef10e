"""Dashboards with their components."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import asyncpg

from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.records import from_record
from app.bot.domain.repositories import DashboardRepository
from app.bot.infrastructure.repositories.postgres import Pool, fetch


class PostgresDashboards(DashboardRepository):
    """Dashboards with their components in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[Dashboard, ...]:
        """Every dashboard, in two statements."""
        dashboards = await fetch(self._pool, "SELECT * FROM dashboards ORDER BY id")
        components = await fetch(self._pool, "SELECT * FROM dashboard_components")
        return _assemble(dashboards, components)

    async def get(self, dashboard_id: int) -> Dashboard | None:
        """One dashboard, or None when it is gone."""
        dashboards = await fetch(self._pool, "SELECT * FROM dashboards WHERE id = $1", dashboard_id)
        components = await fetch(self._pool, "SELECT * FROM dashboard_components WHERE dashboard_id = $1", dashboard_id)
        return next(iter(_assemble(dashboards, components)), None)


def _assemble(dashboards: Iterable[asyncpg.Record], components: Iterable[asyncpg.Record]) -> tuple[Dashboard, ...]:
    parts: dict[int, list[DashboardComponent]] = defaultdict(list)
    parsed = (from_record(DashboardComponent, record) for record in components)
    for component in sorted(parsed, key=lambda component: (component.position, component.id)):
        parts[component.dashboard_id].append(component)
    return tuple(from_record(Dashboard, record, components=tuple(parts[record["id"]])) for record in dashboards)

"""Definitions and placements without a database, for what is measured or tested is not the storage."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.bot.application.runtime.definitions import DefinitionRepositories, Definitions
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import Placement, PlacementState
from app.bot.domain.errors import StorageUnavailableError
from app.bot.domain.readings.source import DataSource


class InMemoryPlacements:
    """Fulfils PlacementRepository. `away` makes every call fail like a database that is down."""

    def __init__(self, placements: Iterable[Placement] = ()) -> None:
        self.rows = {placement.id: placement for placement in placements}
        self.away = False
        self.saves = 0
        self._ids = itertools.count(max(self.rows, default=0) + 1)

    async def all(self) -> tuple[Placement, ...]:
        self._check()
        return tuple(self.rows.values())

    async def place(self, dashboard_id: int, channel_id: int, origin: str, position: int = 0) -> Placement:
        self._check()
        for row in self.rows.values():
            if (row.dashboard_id, row.channel_id, row.position) == (dashboard_id, channel_id, position):
                state = row.state if row.state == PlacementState.POSTED else PlacementState.POSTING
                self.rows[row.id] = replace(row, state=state, error=None)
                return self.rows[row.id]
        placement = Placement(next(self._ids), dashboard_id, channel_id, position, origin)
        self.rows[placement.id] = placement
        return placement

    async def save(self, placement: Placement) -> None:
        self._check()
        self.saves += 1
        if placement.id in self.rows:
            self.rows[placement.id] = placement

    async def delete(self, placement_id: int) -> None:
        self._check()
        self.rows.pop(placement_id, None)

    def _check(self) -> None:
        if self.away:
            raise StorageUnavailableError("The database cannot be reached: ConnectionRefusedError")


class InMemoryDashboards:
    """Fulfils DashboardRepository."""

    def __init__(self, dashboards: Iterable[Dashboard]) -> None:
        self.rows = {dashboard.id: dashboard for dashboard in dashboards}

    async def all(self) -> tuple[Dashboard, ...]:
        return tuple(self.rows.values())

    async def get(self, dashboard_id: int) -> Dashboard | None:
        return self.rows.get(dashboard_id)


class _Fixed:
    """Fulfils every repository that is only read as a whole."""

    def __init__(self, rows: Any = ()) -> None:
        self._rows = rows

    async def all(self) -> Any:
        return self._rows


def definitions_of(dashboards: InMemoryDashboards, sources: Iterable[DataSource] = ()) -> Definitions:
    """Definitions with these dashboards and sources; call `reload` before use."""
    nothing: Any = _Fixed()
    settings: Any = _Fixed(rows=_no_settings())
    return Definitions(
        DefinitionRepositories(
            dashboards=dashboards,
            sources=_Fixed(tuple(sources)),  # type: ignore[arg-type]  # nobody saves states here
            services=nothing,
            commands=nothing,
            actions=nothing,
            grants=nothing,
            settings=settings,
            guilds=nothing,
            component_types=nothing,
            source_types=nothing,
        )
    )


def _no_settings() -> Mapping[str, Any]:
    return {}

"""Definitions and placements without a database, for what is measured or tested is not the storage."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.bot.application.runtime.definitions import DefinitionCache, DefinitionRepositories
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import DashboardMessage, Placement
from app.bot.domain.errors import StorageUnavailableError
from app.bot.domain.readings.source import DataSource
from app.bot.domain.repositories import PlacementRepository


def placed(number: int, dashboard_id: int, channel_id: int, *, removed: bool = False, **message: Any) -> Placement:
    """A placement with one message, both rows of this number; `message` gives fields of the message."""
    rows = (DashboardMessage(number, number, **message),)
    return Placement(number, dashboard_id, channel_id, removed=removed, messages=rows)


class InMemoryPlacements(PlacementRepository):
    """Rows in two dicts. `away` makes every call fail like a database that is down."""

    def __init__(self, placements: Iterable[Placement] = ()) -> None:
        given = list(placements)
        self.placements = {placement.id: replace(placement, messages=()) for placement in given}
        self.messages = {message.id: message for placement in given for message in placement.messages}
        self.away = False
        self.saves = 0
        self._ids = itertools.count(max([*self.placements, *self.messages], default=0) + 1)

    async def all(self) -> tuple[Placement, ...]:
        self._check()
        return tuple(map(self._with_messages, self.placements.values()))

    async def place(self, dashboard_id: int, channel_id: int, origin: str) -> Placement:
        self._check()
        for row in self.placements.values():
            if (row.dashboard_id, row.channel_id) == (dashboard_id, channel_id):
                self.placements[row.id] = replace(row, removed=False)
                return self._with_messages(self.placements[row.id])
        placement = Placement(next(self._ids), dashboard_id, channel_id, origin)
        self.placements[placement.id] = placement
        return placement

    async def add_message(self, placement_id: int, position: int) -> DashboardMessage:
        self._check()
        for row in self.messages.values():
            if (row.placement_id, row.position) == (placement_id, position):
                return row
        message = DashboardMessage(next(self._ids), placement_id, position)
        self.messages[message.id] = message
        return message

    async def save(self, placement: Placement) -> None:
        self._check()
        self.saves += 1
        if placement.id in self.placements:
            self.placements[placement.id] = placement

    async def save_message(self, message: DashboardMessage) -> None:
        self._check()
        self.saves += 1
        if message.id in self.messages:
            self.messages[message.id] = message

    async def delete(self, placement_id: int) -> None:
        self._check()
        self.placements.pop(placement_id, None)
        for row in [row for row in self.messages.values() if row.placement_id == placement_id]:
            del self.messages[row.id]

    async def delete_message(self, message_row_id: int) -> None:
        self._check()
        self.messages.pop(message_row_id, None)

    def _with_messages(self, placement: Placement) -> Placement:
        mine = [row for row in self.messages.values() if row.placement_id == placement.id]
        return replace(placement, messages=tuple(sorted(mine, key=lambda row: row.position)))

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


def definitions_of(dashboards: InMemoryDashboards, sources: Iterable[DataSource] = ()) -> DefinitionCache:
    """Definitions with these dashboards and sources; call `reload` before use."""
    nothing: Any = _Fixed()
    settings: Any = _Fixed(rows=_no_settings())
    return DefinitionCache(
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

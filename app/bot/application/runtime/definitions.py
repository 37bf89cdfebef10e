"""The bot's copy of all definitions, kept current by notifications, and who wants to know of changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import structlog

from app.bot.domain.changes import Change
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.permissions import PermissionGrant
from app.bot.domain.repositories import (
    ActionRepository,
    CommandRepository,
    ComponentTypeRepository,
    DashboardRepository,
    DataSourceRepository,
    GuildRepository,
    IntegrationRepository,
    PermissionRepository,
    ServiceRepository,
    SettingsRepository,
)

log = structlog.get_logger(__name__)


class Table(StrEnum):
    """The aggregates that are kept in memory, by the table that holds their root."""

    # Guilds before dashboards, for a dashboard is switched off with its guild.
    # Component types before dashboards, for dashboards consist of them.
    GUILDS = "guilds"
    COMPONENT_TYPES = "component_types"
    # Source types before sources, for sources are read as their types say.
    SOURCE_TYPES = "data_source_types"
    DASHBOARDS = "dashboards"
    SOURCES = "data_sources"
    SERVICES = "services"
    COMMANDS = "commands"
    ACTIONS = "actions"
    GRANTS = "permission_grants"
    SETTINGS = "settings"


Subscriber = Callable[[int | None], None]
"""Called after a change with the id of the one aggregate that changed, or None when any may have. Must not block."""


@dataclass(frozen=True, slots=True)
class DefinitionRepositories:
    """The repository of each table."""

    dashboards: DashboardRepository
    sources: DataSourceRepository
    services: ServiceRepository
    commands: CommandRepository
    actions: ActionRepository
    grants: PermissionRepository
    settings: SettingsRepository
    guilds: GuildRepository
    component_types: ComponentTypeRepository
    source_types: IntegrationRepository


Loaded_co = TypeVar("Loaded_co", covariant=True)
Key = TypeVar("Key")
Row = TypeVar("Row")


class Readable(Protocol[Loaded_co]):
    """What a cache is filled from."""

    async def all(self) -> Loaded_co: ...  # noqa: D102


class TableCache(Mapping[Key, Row], Generic[Loaded_co, Key, Row]):
    """The rows of one table, by key. A reload replaces them all at once, so that iterating over them stays safe."""

    def __init__(self, repository: Readable[Loaded_co], keyed: Callable[[Loaded_co], dict[Key, Row]]) -> None:
        self._repository = repository
        self._keyed = keyed
        self._rows: dict[Key, Row] = {}

    async def load(self) -> None:
        """Read every row. Raises what the repository raises; the rows then stay as they were."""
        self._rows = self._keyed(await self._repository.all())

    def put(self, key: Key, row: Row) -> None:
        """Keep one row."""
        self._rows = {**self._rows, key: row}

    def forget(self, key: Key) -> None:
        """Drop one row, if it is there."""
        self._rows = {known: row for known, row in self._rows.items() if known != key}

    def __getitem__(self, key: Key) -> Row:
        return self._rows[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def values(self) -> ValuesView[Row]:
        """Return the rows as they are now."""
        return self._rows.values()

    def items(self) -> ItemsView[Key, Row]:
        """Return keys and rows as they are now."""
        return self._rows.items()


class DefinitionCache:
    """All definitions in memory. Reads are plain attribute access; writes come only from the database."""

    def __init__(self, repositories: DefinitionRepositories) -> None:
        self._repositories = repositories
        self._subscribers: dict[Table, list[Subscriber]] = {table: [] for table in Table}
        self._unavailable: dict[Table, str] = {}
        self.guilds = TableCache(repositories.guilds, _by_id)
        self.component_types = TableCache(repositories.component_types, _by_name)
        self.source_types = TableCache(repositories.source_types, _by_name)
        self.dashboards = TableCache(repositories.dashboards, self._in_their_guilds)
        self.sources = TableCache(repositories.sources, _by_name)
        self.services = TableCache(repositories.services, _by_id)
        self.commands = TableCache(repositories.commands, _by_id)
        self.actions = TableCache(repositories.actions, _by_name)
        self._grants = TableCache(repositories.grants, _by_id)
        self.settings: TableCache[Any, str, Any] = TableCache(repositories.settings, dict)
        self._caches: Mapping[Table, TableCache[Any, Any, Any]] = {
            Table.GUILDS: self.guilds,
            Table.COMPONENT_TYPES: self.component_types,
            Table.SOURCE_TYPES: self.source_types,
            Table.DASHBOARDS: self.dashboards,
            Table.SOURCES: self.sources,
            Table.SERVICES: self.services,
            Table.COMMANDS: self.commands,
            Table.ACTIONS: self.actions,
            Table.GRANTS: self._grants,
            Table.SETTINGS: self.settings,
        }
        self.loaded = asyncio.Event()
        """Set once everything was loaded: what is missing then is not there."""

    @property
    def grants(self) -> tuple[PermissionGrant, ...]:
        """All grants, as permissions are checked by."""
        return tuple(self._grants.values())

    @property
    def unavailable(self) -> Mapping[Table, str]:
        """Tables that cannot be read right now, each with the reason: those features are switched off."""
        return self._unavailable

    def subscribe(self, table: Table, subscriber: Subscriber) -> None:
        """Have `subscriber` called after every change of this table, in the order of subscribing."""
        self._subscribers[table].append(subscriber)

    def dashboard_of_component(self, component_id: int) -> Dashboard | None:
        """Return the dashboard that has this component, or None when it is gone."""
        return next((board for board in self.dashboards.values() if board.component(component_id)), None)

    async def reload(self) -> None:
        """Load every table. Raises StorageUnavailableError when the database cannot be reached."""
        for table in Table:
            await self._reload(table)
        self.loaded.set()

    async def apply(self, change: Change) -> None:
        """Reload the aggregate that a change names; changes of other tables are ignored.

        Raises StorageUnavailableError when the database cannot be reached.
        """
        table = Table.DASHBOARDS if change.table == "dashboard_components" else change.table
        if table not in list(Table):
            return
        dashboard_id = change.parent if change.table == "dashboard_components" else _whole_number(change.id)
        if table == Table.DASHBOARDS and dashboard_id is not None:
            await self._reload_dashboard(dashboard_id)
        else:
            await self._reload(Table(table))
        if table == Table.GUILDS:
            await self._reload(Table.DASHBOARDS)

    async def _reload_dashboard(self, dashboard_id: int) -> None:
        async def load() -> None:
            dashboard = await self._repositories.dashboards.get(dashboard_id)
            if dashboard is None:
                self.dashboards.forget(dashboard_id)
            else:
                self.dashboards.put(dashboard_id, self._in_its_guild(dashboard))

        await self._guarded(Table.DASHBOARDS, load, dashboard_id)

    async def _reload(self, table: Table) -> None:
        await self._guarded(table, self._caches[table].load, None)

    async def _guarded(self, table: Table, load: Callable[[], Awaitable[None]], changed: int | None) -> None:
        """Load, tell the subscribers, and switch the one feature off (one line) and on again (one line)."""
        try:
            await load()
        except StorageUnavailableError:
            raise
        except (MissingTableError, MissingColumnError) as error:
            self._switch_off(table, str(error))
            return
        except Exception as error:  # noqa: BLE001  # the guarded edge of one table: the others are loaded all the same
            self._switch_off(table, describe_fault(error))
            return
        if self._unavailable.pop(table, None):
            log.info("feature switched on again", feature=table.value)
        for subscriber in self._subscribers[table]:
            try:
                subscriber(changed)
            except Exception as error:  # noqa: BLE001  # one that fails must not keep the others from hearing of it
                log.warning("a change was not followed", feature=table.value, reason=describe_fault(error))

    def _switch_off(self, table: Table, reason: str) -> None:
        if self._unavailable.get(table) != reason:
            self._unavailable[table] = reason
            log.warning("feature switched off: the schema lacks what it needs", feature=table.value, reason=reason)

    def _in_their_guilds(self, dashboards: Iterable[Dashboard]) -> dict[int, Dashboard]:
        return {dashboard.id: self._in_its_guild(dashboard) for dashboard in dashboards}

    def _in_its_guild(self, dashboard: Dashboard) -> Dashboard:
        """Return the dashboard as it counts: switched off where its guild is."""
        guild = self.guilds.get(dashboard.guild_id)
        return dashboard if guild is None or guild.enabled else replace(dashboard, enabled=False)


class _WithId(Protocol):
    @property
    def id(self) -> int: ...


class _WithName(Protocol):
    @property
    def name(self) -> str: ...


WithId = TypeVar("WithId", bound=_WithId)
WithName = TypeVar("WithName", bound=_WithName)


def _by_id(rows: Iterable[WithId]) -> dict[int, WithId]:
    return {row.id: row for row in rows}


def _by_name(rows: Iterable[WithName]) -> dict[str, WithName]:
    return {row.name: row for row in rows}


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None

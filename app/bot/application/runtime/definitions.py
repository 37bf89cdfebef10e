"""The bot's copy of all definitions, kept current by notifications, and who wants to know of changes."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MethodType
from typing import Any

import structlog

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.actions.command import CommandDefinition
from app.bot.domain.changes import Change
from app.bot.domain.components.template_types import TemplateType
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.domain.guilds import Guild
from app.bot.domain.integrations.definition import DeclarativeType
from app.bot.domain.permissions import PermissionGrant
from app.bot.domain.readings.source import DataSource
from app.bot.domain.repositories import (
    ActionRepository,
    CommandRepository,
    ComponentTypeRepository,
    DashboardRepository,
    DataSourceRepository,
    GuildRepository,
    PermissionRepository,
    ServiceRepository,
    SettingsRepository,
    SourceTypeRepository,
)
from app.bot.domain.services import ServiceDefinition

log = structlog.get_logger(__name__)


class Kind(StrEnum):
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
    """Where each kind of definition is read from."""

    dashboards: DashboardRepository
    sources: DataSourceRepository
    services: ServiceRepository
    commands: CommandRepository
    actions: ActionRepository
    grants: PermissionRepository
    settings: SettingsRepository
    guilds: GuildRepository
    component_types: ComponentTypeRepository
    source_types: SourceTypeRepository


class Definitions:
    """All definitions in memory. Reads are plain attribute access; writes come only from the database."""

    def __init__(self, repositories: DefinitionRepositories) -> None:
        self._repositories = repositories
        self._subscribers: dict[Kind, list[Callable[[], Subscriber | None]]] = {kind: [] for kind in Kind}
        self._unavailable: dict[Kind, str] = {}
        self.dashboards: dict[int, Dashboard] = {}
        self.sources: dict[str, DataSource] = {}
        self.services: dict[int, ServiceDefinition] = {}
        self.commands: dict[int, CommandDefinition] = {}
        self.actions: dict[str, ActionDefinition] = {}
        self.grants: tuple[PermissionGrant, ...] = ()
        self.settings: Mapping[str, Any] = {}
        self.guilds: dict[int, Guild] = {}
        self.component_types: dict[str, TemplateType] = {}
        self.loaded = asyncio.Event()
        """Set once everything was loaded: what is missing then is not there."""
        self.source_types: dict[str, DeclarativeType] = {}

    @property
    def unavailable(self) -> Mapping[Kind, str]:
        """Kinds that the schema cannot give right now, each with the reason: those features are switched off."""
        return self._unavailable

    def subscribe(self, kind: Kind, subscriber: Subscriber) -> None:
        """Have `subscriber` called after every change of this kind.

        A method does not keep its object alive: a service that another one replaced hears nothing any more.
        """
        if isinstance(subscriber, MethodType):
            self._subscribers[kind].append(weakref.WeakMethod(subscriber, self._subscribers[kind].remove))
        else:
            self._subscribers[kind].append(lambda: subscriber)

    def dashboard_of_component(self, component_id: int) -> Dashboard | None:
        """The dashboard that has this component, or None when it is gone."""
        return next((board for board in self.dashboards.values() if board.component(component_id)), None)

    async def reload(self) -> None:
        """Load every kind anew. Raises StorageUnavailableError when the database cannot be reached."""
        for kind in Kind:
            await self._reload(kind)
        self.loaded.set()

    async def apply(self, change: Change) -> None:
        """Reload the aggregate that a change names; changes of other tables are ignored.

        Raises StorageUnavailableError when the database cannot be reached.
        """
        table = Kind.DASHBOARDS if change.table == "dashboard_components" else change.table
        if table not in list(Kind):
            return
        dashboard_id = change.parent if change.table == "dashboard_components" else _whole_number(change.id)
        if table == Kind.DASHBOARDS and dashboard_id is not None:
            await self._reload_dashboard(dashboard_id)
        else:
            await self._reload(Kind(table))
        if table == Kind.GUILDS:
            await self._reload(Kind.DASHBOARDS)

    async def _reload_dashboard(self, dashboard_id: int) -> None:
        async def load() -> None:
            dashboard = await self._repositories.dashboards.get(dashboard_id)
            if dashboard is None:
                self.dashboards.pop(dashboard_id, None)
            else:
                self.dashboards[dashboard_id] = self._in_its_guild(dashboard)

        await self._guarded(Kind.DASHBOARDS, load, dashboard_id)

    async def _reload(self, kind: Kind) -> None:
        await self._guarded(kind, getattr(self, f"_load_{kind.name.lower()}"), None)

    async def _guarded(self, kind: Kind, load: Callable[[], Awaitable[None]], changed: int | None) -> None:
        """Load, tell the subscribers, and switch the one feature off (one line) and on again (one line)."""
        try:
            await load()
        except StorageUnavailableError:
            raise
        except (MissingTableError, MissingColumnError) as error:
            self._switch_off(kind, str(error))
            return
        except Exception as error:  # noqa: BLE001  # the guarded edge of one kind: the others are loaded all the same
            self._switch_off(kind, describe_fault(error))
            return
        if self._unavailable.pop(kind, None):
            log.info("feature switched on again", feature=kind.value)
        for subscriber in [alive for find in self._subscribers[kind] if (alive := find()) is not None]:
            try:
                subscriber(changed)
            except Exception as error:  # noqa: BLE001  # one that fails must not keep the others from hearing of it
                log.warning("a change was not followed", feature=kind.value, reason=describe_fault(error))

    def _switch_off(self, kind: Kind, reason: str) -> None:
        if self._unavailable.get(kind) != reason:
            self._unavailable[kind] = reason
            log.warning("feature switched off: the schema lacks what it needs", feature=kind.value, reason=reason)

    async def _load_dashboards(self) -> None:
        loaded = await self._repositories.dashboards.all()
        self.dashboards = {dashboard.id: self._in_its_guild(dashboard) for dashboard in loaded}

    def _in_its_guild(self, dashboard: Dashboard) -> Dashboard:
        """The dashboard as it counts: switched off where its guild is."""
        guild = self.guilds.get(dashboard.guild_id)
        return dashboard if guild is None or guild.enabled else replace(dashboard, enabled=False)

    async def _load_sources(self) -> None:
        self.sources = {source.name: source for source in await self._repositories.sources.all()}

    async def _load_services(self) -> None:
        self.services = {service.id: service for service in await self._repositories.services.all()}

    async def _load_commands(self) -> None:
        self.commands = {command.id: command for command in await self._repositories.commands.all()}

    async def _load_actions(self) -> None:
        self.actions = {action.name: action for action in await self._repositories.actions.all()}

    async def _load_grants(self) -> None:
        self.grants = await self._repositories.grants.all()

    async def _load_settings(self) -> None:
        self.settings = await self._repositories.settings.all()

    async def _load_component_types(self) -> None:
        self.component_types = {type_.name: type_ for type_ in await self._repositories.component_types.all()}

    async def _load_source_types(self) -> None:
        self.source_types = {type_.name: type_ for type_ in await self._repositories.source_types.all()}

    async def _load_guilds(self) -> None:
        self.guilds = {guild.id: guild for guild in await self._repositories.guilds.all()}


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None

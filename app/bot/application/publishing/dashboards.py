"""Use cases of users with whole dashboards: look, refresh, post, remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from app.bot.application.collecting.collector import Collector
from app.bot.application.publishing.publisher import Publisher
from app.bot.application.rendering.answers import Answer
from app.bot.application.rendering.arrivals import Arrivals
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.runtime.audit import Audit
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import View
from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.domain.components.variables import NOTHING_CHOSEN, Choices
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.dashboards.placements import Placement
from app.bot.domain.errors import HomelabError
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import (
    DASHBOARD_MANAGE,
    DASHBOARD_REFRESH,
    DASHBOARD_VIEW,
    SOURCE_VIEW,
    allows,
    require,
    scopes_of,
)

REFRESH_WAIT_SECONDS = 1.5
"""How long a refresh waits for the sources: with the build it stays within the 3 s of an interaction's first answer."""

CHART_WAIT_SECONDS = 1.5
"""How long an answer waits for charts that were not drawn yet."""


_BARE: Mapping[str, Any] = MappingProxyType({"footer": False})
_MANY = 1_000
"""Components that can be shown on their own at the same time, each as a dashboard that no row has."""


class UnknownDashboardError(HomelabError):
    """There is no such dashboard in this guild."""


class DashboardOffError(HomelabError):
    """The dashboard is switched off, so it cannot be shown."""


class Dashboards:
    """The use cases. Each checks the permission at the moment it is called."""

    def __init__(
        self,
        definitions: DefinitionCache,
        builder: DashboardBuilder,
        publisher: Publisher,
        collector: Collector,
        audit: Audit,
        *,
        arrivals: Arrivals | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._definitions = definitions
        self._builder = builder
        self._publisher = publisher
        self._collector = collector
        self._audit = audit
        self._arrivals = arrivals or Arrivals()
        self._clock = clock
        self._parts = 0

    def of_guild(self, guild_id: int | None) -> tuple[Dashboard, ...]:
        """Return the guild's dashboards by name."""
        found = (board for board in self._definitions.dashboards.values() if board.guild_id == guild_id)
        return tuple(sorted(found, key=lambda board: board.name.casefold()))

    def visible_to(self, actor: Actor) -> tuple[Dashboard, ...]:
        """Return the dashboards of the actor's guild that the actor may look at, by name."""
        grants = self._definitions.grants
        boards = self.of_guild(actor.guild_id)
        return tuple(board for board in boards if allows(grants, actor, DASHBOARD_VIEW, _scopes(board)))

    def named(self, guild_id: int | None, name: str) -> Dashboard:
        """Return a dashboard of the guild, upper and lower case alike. Raises UnknownDashboardError."""
        boards = self.of_guild(guild_id)
        for board in boards:
            if board.name == name:
                return board
        for board in boards:
            if board.name.casefold() == name.strip().casefold():
                return board
        raise UnknownDashboardError(f"There is no dashboard “{name}” here. See /dashboard list.")

    def placements_of(self, dashboard: Dashboard) -> tuple[Placement, ...]:
        """Return where the dashboard is shown; nothing while the publisher is not running."""
        return self._publisher.placements_of(dashboard.id) if self._publisher.is_running else ()

    async def show(
        self, actor: Actor, dashboard: Dashboard, page: str | None = None, variables: Choices = NOTHING_CHOSEN
    ) -> View:
        """Return what the dashboard shows now, with its charts if they take no longer than a moment.

        Raises PermissionRefusedError or DashboardOffError.
        """
        self._require_view(actor, dashboard)
        return await self._complete(dashboard, page, variables)

    async def show_component(
        self, actor: Actor, type_name: str, config: Mapping[str, Any], values: Mapping[str, Any]
    ) -> View:
        """Return one component that is on no dashboard; `values` take the place of the placeholders in its config.

        Raises InvalidConfigError for a placeholder without value, or PermissionRefusedError where the actor may not
        look at a source that it shows.
        """
        filled = fill_placeholders(config, values, self._builder.template_fields(type_name))
        self._parts = (self._parts + 1) % _MANY
        part = DashboardComponent(0, 0, type_name, config=filled)
        dashboard = Dashboard(-1 - self._parts, actor.guild_id or 0, "", components=(part,), layout=_BARE)
        try:
            view = await self._complete(dashboard, None)
            for source in sorted(self._builder.sources_of(dashboard) & self._definitions.sources.keys()):
                require(self._definitions.grants, actor, SOURCE_VIEW, scopes_of("source", source), source)
        finally:
            self._builder.forget(dashboard)
        return view

    async def show_on_message(
        self, actor: Actor, dashboard: Dashboard, message_id: int, page: str | None, variables: Choices
    ) -> Answer:
        """Return the same in place of a message, which remembers the page if it is one of the dashboard's own.

        `variables` says what was chosen on a message of the user's own.
        """
        self._require_view(actor, dashboard)
        if self.placement(dashboard, message_id) is not None:
            await self._complete(dashboard, page)  # so that the page has its charts when the message turns to it
            reply = await self._publisher.show_page(message_id, page)
            if reply is not None:
                return Answer(reply.view, in_place=True, marker=reply.marker, settle=reply.settle)
        return await self.show_own(actor, dashboard, page, variables, in_place=True)

    async def choose_on_message(
        self, actor: Actor, dashboard: Dashboard, message_id: int, chosen: tuple[str, Sequence[str]]
    ) -> Answer | None:
        """Choose the values of a variable for all who look at a message; None where it is not the dashboard's own."""
        self._require_view(actor, dashboard)
        if self.placement(dashboard, message_id) is None:
            return None
        reply = await self._publisher.show_variable(message_id, *chosen)
        return (
            Answer(reply.view, in_place=True, marker=reply.marker, settle=reply.settle) if reply is not None else None
        )

    async def show_own(
        self, actor: Actor, dashboard: Dashboard, page: str | None, variables: Choices, *, in_place: bool
    ) -> Answer:
        """Return the dashboard for one user alone, with a page and values of the user's choice, which are not kept."""
        self._require_view(actor, dashboard)
        # A message of the user's own stands alone: it can only say that there is more.
        view = await self._complete(dashboard, page, variables, max_messages=1)
        return Answer(view, in_place=in_place)

    async def _complete(
        self,
        dashboard: Dashboard,
        page: str | None,
        variables: Choices = NOTHING_CHOSEN,
        *,
        max_messages: int | None = None,
    ) -> View:
        def build() -> View:
            return self._builder.build(dashboard, self._clock(), page, variables=variables, max_messages=max_messages)

        return await self._arrivals.complete(dashboard.id, build, CHART_WAIT_SECONDS)

    def _require_view(self, actor: Actor, dashboard: Dashboard) -> None:
        require(self._definitions.grants, actor, DASHBOARD_VIEW, _scopes(dashboard), dashboard.name)
        if not dashboard.enabled:
            raise DashboardOffError(f"The dashboard “{dashboard.name}” is switched off in the web admin.")

    def call_of(
        self, dashboard: Dashboard, component_id: int, key: str, page: str | None, variables: Choices
    ) -> ButtonCall | None:
        """Return the call behind a button or a choice of a component on the page; None where none has this key."""
        calls = self._builder.calls_of(dashboard, component_id, self._clock(), page, variables=variables)
        return next((found for found in calls if found.call.key == key), None)

    def placement(self, dashboard: Dashboard, message_id: int) -> Placement | None:
        """Return the placement that a message belongs to; None for a message of one user's own."""
        return next((place for place in self.placements_of(dashboard) if place.has_message(message_id)), None)

    async def poll(self, actor: Actor, dashboard: Dashboard) -> None:
        """Read the dashboard's sources again and wait a moment for them. Raises PermissionRefusedError."""
        require(self._definitions.grants, actor, DASHBOARD_REFRESH, _scopes(dashboard), dashboard.name)
        await self._collector.poll_now(self._builder.sources_of(dashboard), REFRESH_WAIT_SECONDS)

    async def refresh(self, actor: Actor, dashboard: Dashboard) -> int:
        """Read the sources again, have every message of the dashboard follow, and return their number."""
        self._publisher.require_running()
        await self.poll(actor, dashboard)
        self._publisher.refresh(dashboard.id)
        return sum(place.posted_count for place in self._publisher.placements_of(dashboard.id))

    async def post(self, actor: Actor, dashboard: Dashboard, channel_id: int) -> Placement:
        """Show the dashboard in a channel from now on; the placement's state and error say how it went so far.

        Raises PermissionRefusedError, DashboardOffError, ServiceOffError or StorageUnavailableError.
        """
        await self._check_manage(actor, dashboard, "dashboard.post", channel_id)
        if not dashboard.enabled:
            raise DashboardOffError(f"Switch on the dashboard “{dashboard.name}” in the web admin first.")
        placement = await self._publisher.place(dashboard.id, channel_id)
        detail = {"channel_id": str(channel_id), **({"error": placement.error} if placement.error else {})}
        await self._audit.record(
            actor, "dashboard.post", dashboard.name, "failed" if placement.error else "done", detail
        )
        return placement

    async def remove(self, actor: Actor, dashboard: Dashboard, channel_id: int) -> bool:
        """Take the dashboard out of a channel; False where it was not shown.

        Raises PermissionRefusedError, ServiceOffError or StorageUnavailableError.
        """
        await self._check_manage(actor, dashboard, "dashboard.remove", channel_id)
        removed = await self._publisher.remove(dashboard.id, channel_id)
        outcome = "done" if removed else "failed"
        await self._audit.record(actor, "dashboard.remove", dashboard.name, outcome, {"channel_id": str(channel_id)})
        return removed

    async def _check_manage(self, actor: Actor, dashboard: Dashboard, what: str, channel_id: int) -> None:
        await self._audit.require(
            self._definitions.grants,
            actor,
            DASHBOARD_MANAGE,
            _scopes(dashboard),
            target=dashboard.name,
            what=what,
            detail={"channel_id": str(channel_id)},
        )
        self._publisher.require_running()


def _scopes(dashboard: Dashboard) -> frozenset[str]:
    return scopes_of("dashboard", dashboard.name)

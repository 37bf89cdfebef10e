"""What actions do with the bot itself: its data sources and its dashboards."""

from __future__ import annotations

from app.bot.application.actions.base import ActionFailedError
from app.bot.application.collecting.collector import Collector
from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.guilds import Actor
from app.bot.domain.readings.reading import Reading
from app.bot.domain.readings.source import DataSource

_WAIT_SECONDS = 10.0


class OwnBot:
    """The bot, as its actions see it."""

    def __init__(
        self, definitions: DefinitionCache, readings: ReadingStore, dashboards: Dashboards, collector: Collector
    ) -> None:
        self._definitions = definitions
        self._readings = readings
        self._dashboards = dashboards
        self._collector = collector

    def source(self, name: str) -> DataSource:
        """Return the data source of this name, such as an engine. Raises ActionFailedError."""
        source = self._definitions.sources.get(name)
        if source is None or not source.enabled:
            raise ActionFailedError(f"There is no data source “{name}”, or it is switched off.")
        return source

    async def poll(self, source: DataSource) -> Reading:
        """Poll a data source now, wait up to 10 s, and return its newest reading. Raises ServiceOffError."""
        self._collector.require_running()
        await self._collector.poll_now([source.name], _WAIT_SECONDS)
        return self._readings.latest(source.name)

    def dashboard(self, actor: Actor, name: str) -> Dashboard:
        """Return a dashboard of the actor's guild. Raises UnknownDashboardError."""
        return self._dashboards.named(actor.guild_id, name)

    async def show(self, actor: Actor, dashboard: Dashboard, page: str | None) -> View:
        """Return what the dashboard shows now. Raises PermissionRefusedError or DashboardOffError."""
        return await self._dashboards.show(actor, dashboard, page)

"""Previews of dashboards: what the bot wrote, read by its repositories and built by its builder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.bot.application.rendering.arrivals import Arrivals
from app.bot.application.rendering.builder import DashboardBuilder, first_page, pages_of
from app.bot.application.rendering.charts import ChartStore
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.history_store import HistoryStore
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.rendering.regions import GuildRegions
from app.bot.domain.blocks.block import View
from app.bot.domain.components.component import Component
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.components.templates import Templates
from app.bot.domain.components.variables import NOTHING_CHOSEN, Choices
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.guilds import Guild
from app.bot.domain.readings.reading import Readings
from app.bot.domain.registry import Registry
from app.bot.infrastructure.repositories import (
    PostgresDashboards,
    PostgresDataSources,
    PostgresGuilds,
    PostgresHistory,
    postgres_component_types,
)
from app.bot.infrastructure.repositories.postgres import Pool
from app.shared.charts import ChartRenderer
from app.shared.expressions import CelExpressions
from app.shared.locales import locale_forms

VARIABLE_PREFIX = "var."
"""Stands before the name of a variable in the address of a preview."""

_SAMPLE_LAYOUT = {"footer": False, "accent": "status"}
CHART_WAIT_SECONDS = 3.0
"""How long a preview waits for charts that were not drawn yet; it is fetched again in a moment anyway."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A dashboard as it looks now, on `page` of `pages`, with what was chosen of its variables."""

    dashboard: Dashboard
    view: View
    page: str | None
    pages: tuple[str, ...]
    variables: Choices = field(default_factory=dict)

    def address(self, page: str | None = None, without: str = "") -> str:
        """Where the message alone is fetched: as it is, on another page, or without what one select says."""
        chosen = [("page", page or self.page or "")]
        chosen += [(VARIABLE_PREFIX + name, value) for name, values in self.variables.items() for value in values]
        query = urlencode([(name, value) for name, value in chosen if value and name != without], quote_via=quote)
        return f"/dashboards/{self.dashboard.id}/message" + (f"?{query}" if query else "")


class PreviewBuilder:
    """Build previews from the database that `pool` reads. Readings that went by are kept, so sparklines have a past.

    `close` it; the pool stays open.
    """

    def __init__(self, types: Registry[type[Component]], templates: Templates, pool: Pool) -> None:
        self._types, self._templates = types, templates
        self._dashboards, self._sources = PostgresDashboards(pool), PostgresDataSources(pool)
        self._guild_rows, self._type_rows = PostgresGuilds(pool), postgres_component_types(pool)
        self._history = PostgresHistory(pool)
        self._arrivals = Arrivals()
        self._histories = HistoryStore(self._arrivals.arrived)
        self._charts = ChartStore(ChartRenderer(), self._arrivals.arrived)
        self._readings = ReadingStore()
        self._guilds: Mapping[int, Guild] = {}
        self._regions = GuildRegions(lambda: self._guilds, locale_forms)
        self._builder = DashboardBuilder(
            ComponentFactory(types),
            self._readings,
            templates,
            expressions=CelExpressions(),
            histories=self._histories,
            charts=self._charts,
            region_of=self._regions.of,
        )
        self._polled: dict[str, datetime] = {}

    async def build(self, dashboard_id: int, page: str | None = None, variables: Choices = NOTHING_CHOSEN) -> Preview:
        """Return the dashboard as it looks now. Raise LookupError when it is gone."""
        dashboard = await self._dashboards.get(dashboard_id)
        if dashboard is None:
            raise LookupError(f"There is no dashboard {dashboard_id}.")
        await self.refresh()
        view = await self._complete(self._builder, dashboard, page, variables)
        pages = pages_of(dashboard)
        return Preview(dashboard, view, page if page in pages else first_page(dashboard), pages, variables)

    async def sample(self, template: ComponentTemplate, params: Mapping[str, Any]) -> View:
        """Return a component template that may not be stored, as it would look with these parameters."""
        await self.refresh()
        types = [known for known in await self._type_rows.all() if known.name != template.name]
        builder = DashboardBuilder(
            ComponentFactory(self._types, [*types, template]),
            self._readings,
            self._templates,
            expressions=CelExpressions(),
            histories=self._histories,
            charts=self._charts,
            region_of=lambda _sample: self._regions.of(min(self._guilds, default=0)),
        )
        component = DashboardComponent(1, 1, template.name, config=params)
        dashboard = Dashboard(1, 1, "Preview", layout=_SAMPLE_LAYOUT, components=(component,))
        return await self._complete(builder, dashboard)

    async def ready(self, components: Sequence[Mapping[str, Any]]) -> View:
        """Components that are on no dashboard yet, each a type and a config, as they would look."""
        await self.refresh()
        parts = tuple(
            DashboardComponent(number, 1, part["type"], number, config=part["config"])
            for number, part in enumerate(components, start=1)
        )
        dashboard = Dashboard(0, min(self._guilds, default=0), "Preview", layout={"footer": False}, components=parts)
        return await self._complete(self._builder, dashboard)

    async def close(self) -> None:
        """End what draws charts."""
        await self._charts.close()

    async def _complete(
        self,
        builder: DashboardBuilder,
        dashboard: Dashboard,
        page: str | None = None,
        variables: Choices = NOTHING_CHOSEN,
    ) -> View:
        """Return the dashboard with its past, and with its charts if they take no longer than a moment."""

        def build() -> View:
            return builder.build(dashboard, datetime.now(UTC), page, variables=variables)

        await self._histories.load(self._history)  # what earlier previews asked for has grown since
        if build().pending:
            await self._histories.load(self._history)
        return await self._arrivals.complete(dashboard.id, build, CHART_WAIT_SECONDS)

    async def refresh(self) -> None:
        """Take in component templates and servers as they are now, and what the bot has read since the last time."""
        guilds, types, sources = await self._guild_rows.all(), await self._type_rows.all(), await self._sources.all()
        fresh = await self._sources.readings(self._polled)
        # Nothing is awaited from here on, for previews are made at the same time.
        # Rows that did not change stay the same objects, by which it is known that nothing is to be done for them.
        self._guilds = {guild.id: _same(self._guilds.get(guild.id), guild) for guild in guilds}
        self._builder.use_types(types)
        self._readings.define(sources, datetime.now(UTC))
        for name, (polled_at, reading) in fresh.items():
            if self._polled.get(name) != polled_at:
                self._polled[name] = polled_at
                self._readings.put(name, reading)

    @property
    def readings(self) -> Readings:
        """The newest readings, as of the last `refresh`."""
        return self._readings


def _same(known: Guild | None, loaded: Guild) -> Guild:
    return known if known is not None and known == loaded else loaded

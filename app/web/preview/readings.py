"""The newest readings, as the bot wrote them, for the builder that the bot uses too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.application.rendering.arrivals import Arrivals
from app.bot.application.rendering.builder import DashboardBuilder, first_page, pages_of
from app.bot.application.rendering.charts import ChartStore
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.history_store import HistoryStore
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.rendering.regions import GuildRegions
from app.bot.domain.blocks.block import View
from app.bot.domain.components.component import Component
from app.bot.domain.components.template_types import TemplateType
from app.bot.domain.components.templates import Templates
from app.bot.domain.components.variables import NOTHING_CHOSEN, Choices
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.guilds import Guild
from app.bot.domain.readings.reading import Reading, Readings, Status
from app.bot.domain.readings.source import DataSource
from app.bot.domain.records import from_record
from app.bot.domain.registry import Registry
from app.shared.charts import ChartRenderer
from app.shared.expressions import CelExpressions
from app.shared.locales import locale_forms
from app.web.preview.history import SessionHistory

# Every column, as the bot reads them: templates may use those that no model knows.
_DASHBOARD = text("SELECT * FROM dashboards WHERE id = :id").columns(layout=JSONB)
_COMPONENTS = text(
    "SELECT * FROM dashboard_components WHERE dashboard_id = :id ORDER BY position, id"
).columns(config=JSONB)  # fmt: skip
_TYPES = text("SELECT * FROM component_types WHERE kind = 'template' AND enabled").columns(
    config_schema=JSONB, definition=JSONB
)
_GUILDS = text("SELECT * FROM guilds")
_SOURCES = text("SELECT * FROM data_sources").columns(config=JSONB)
_STATES = text(
    "SELECT source.name, state.polled_at, state.status, state.message, state.error, state.reading "
    "FROM source_states AS state JOIN data_sources AS source ON source.id = state.data_source_id"
).columns(reading=JSONB)


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


class PreviewSource:
    """Builds previews from the database. It remembers readings that went by, so that sparklines have a past.

    `close` it.
    """

    def __init__(self, types: Registry[type[Component]], templates: Templates) -> None:
        self._types, self._templates = types, templates
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

    async def build(
        self,
        database: AsyncSession,
        dashboard_id: int,
        page: str | None = None,
        variables: Choices = NOTHING_CHOSEN,
    ) -> Preview:
        """The dashboard as it looks now. Raises LookupError when it is gone."""
        dashboard = await load_dashboard(database, dashboard_id)
        await self.refresh(database)
        view = await self._complete(database, self._builder, dashboard, page, variables)
        pages = pages_of(dashboard)
        return Preview(dashboard, view, page if page in pages else first_page(dashboard), pages, variables)

    async def sample(self, database: AsyncSession, template: TemplateType, params: Mapping[str, Any]) -> View:
        """A template type that may not be stored, as it would look with these parameters."""
        await self.refresh(database)
        stored = (from_record(TemplateType, dict(row)) for row in (await database.execute(_TYPES)).mappings())
        types = [known for known in stored if known.name != template.name]
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
        return await self._complete(database, builder, dashboard)

    async def ready(self, database: AsyncSession, components: Sequence[Mapping[str, Any]]) -> View:
        """Components that are on no dashboard yet, each a type and a config, as they would look."""
        await self.refresh(database)
        parts = tuple(
            DashboardComponent(number, 1, part["type"], number, config=part["config"])
            for number, part in enumerate(components, start=1)
        )
        dashboard = Dashboard(0, min(self._guilds, default=0), "Preview", layout={"footer": False}, components=parts)
        return await self._complete(database, self._builder, dashboard)

    async def close(self) -> None:
        """End what draws charts."""
        await self._charts.close()

    async def _complete(
        self,
        database: AsyncSession,
        builder: DashboardBuilder,
        dashboard: Dashboard,
        page: str | None = None,
        variables: Choices = NOTHING_CHOSEN,
    ) -> View:
        """The dashboard with its past, and with its charts if they take no longer than a moment."""
        reader = SessionHistory(database)

        def build() -> View:
            return builder.build(dashboard, datetime.now(UTC), page, variables=variables)

        await self._histories.load(reader)  # what earlier previews asked for has grown since
        if build().pending:
            await self._histories.load(reader)
        return await self._arrivals.complete(dashboard.id, build, CHART_WAIT_SECONDS)

    async def refresh(self, database: AsyncSession) -> None:
        """Take in the template types and servers as they are now, and what the bot has read since the last time."""
        guilds = [from_record(Guild, dict(row)) for row in (await database.execute(_GUILDS)).mappings()]
        # Rows that did not change stay the same objects, by which it is known that nothing is to be done for them.
        self._guilds = {guild.id: _same(self._guilds.get(guild.id), guild) for guild in guilds}
        types = (await database.execute(_TYPES)).mappings().all()
        self._builder.use_types(from_record(TemplateType, dict(row)) for row in types)
        sources = (await database.execute(_SOURCES)).mappings().all()
        states = (await database.execute(_STATES)).mappings().all()
        self._readings.define((from_record(DataSource, dict(row)) for row in sources), datetime.now(UTC))
        for state in states:
            name, polled_at = state["name"], state["polled_at"]
            if self._polled.get(name) != polled_at:
                self._polled[name] = polled_at
                self._readings.put(name, _reading(dict(state)))

    @property
    def readings(self) -> Readings:
        """The newest readings, as of the last `refresh`."""
        return self._readings

    def metric_names(self, sources: Mapping[str, Any]) -> list[str]:
        """Names of the metrics that these sources gave last."""
        names = {metric.name for source in sources for metric in self._readings.latest(source).metrics}
        return sorted(names)


def _same(known: Guild | None, loaded: Guild) -> Guild:
    return known if known is not None and known == loaded else loaded


async def load_dashboard(database: AsyncSession, dashboard_id: int) -> Dashboard:
    """The dashboard as the bot's domain has it. Raises LookupError."""
    row = (await database.execute(_DASHBOARD, {"id": dashboard_id})).mappings().one_or_none()
    if row is None:
        raise LookupError(f"There is no dashboard {dashboard_id}.")
    parts = (await database.execute(_COMPONENTS, {"id": dashboard_id})).mappings().all()
    components = tuple(from_record(DashboardComponent, dict(part)) for part in parts)
    return from_record(Dashboard, dict(row), components=components)


def _reading(state: Mapping[str, Any]) -> Reading:
    """The stored reading; where there is none, or one of another version, what the state's columns say."""
    if state["reading"] is not None:
        try:
            return Reading.from_json(state["reading"])
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
    status = Status(state["status"]) if state["status"] in set(Status) else Status.UNKNOWN
    return Reading(state["polled_at"], status, state["error"] or state["message"])

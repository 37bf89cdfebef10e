"""DashboardBuilder: a definition and the readings become a view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block, Container, Problem, Separator, Stamp, Text, View
from app.bot.domain.blocks.frames import framed
from app.bot.domain.blocks.splitting import Frame, split
from app.bot.domain.charts.chart import Charts, NoCharts
from app.bot.domain.components.component import Component, RenderContext, describe_validation_error, mentioned_sources
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.components.expressions import Expressions, NoExpressions
from app.bot.domain.components.templates import Templates
from app.bot.domain.components.types.discovered import Discovered
from app.bot.domain.components.variables import NOTHING_CHOSEN, Choices, ResolvedVariable, resolve_all, uses_variables
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent, Layout
from app.bot.domain.errors import UnknownSourceError
from app.bot.domain.formatting.markdown import escape_markdown
from app.bot.domain.formatting.regions import InRegion, Region
from app.bot.domain.readings.discovery import offered_dashboards
from app.bot.domain.readings.history import Histories, NoHistories
from app.bot.domain.readings.reading import Readings
from app.bot.domain.readings.thresholds import STATUS_LEVELS, worst

_NO_COMPONENTS = "This dashboard has no components yet. Add some in the web admin."
_DISCOVERED = "discovered"
_FOOTER_LINE = Separator(line=False)


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a dashboard's own fields say, whatever the readings are."""

    dashboard: Dashboard
    pages: tuple[str, ...]
    parts: Mapping[str | None, Sequence[tuple[DashboardComponent, Component | None]]]
    """What each page shows (None where there are no pages): rows, with their parsed configs.

    Those have none that are wrong or depend on variables.
    """
    layout: Layout
    problems: tuple[Problem, ...]
    """What is wrong with the layout."""
    template_values: Mapping[str, Any]
    sources: frozenset[str]
    """Data sources that the components name, shown or not."""
    discovers: bool
    """Whether what adds itself to the dashboard is shown at its end: no component of its own says where."""


@dataclass(slots=True)
class _Use:
    """What a dashboard needed whenever it was built: names of data sources and component types, through all nesting."""

    dashboard: Dashboard
    sources: set[str]
    types: set[str]


class DashboardBuilder:
    """Builds views from dashboards: by type through the registry, by row through each type's config model."""

    def __init__(
        self,
        components: ComponentFactory,
        readings: Readings,
        templates: Templates,
        *,
        expressions: Expressions | None = None,
        histories: Histories | None = None,
        charts: Charts | None = None,
        region_of: Callable[[int], Region] = lambda guild_id: Region(),
    ) -> None:
        self._components = components
        self._readings = readings
        self._templates = templates
        self._expressions = expressions or NoExpressions()
        self._histories = histories or NoHistories()
        self._charts = charts or NoCharts()
        self._region_of = region_of
        self._definitions: dict[int, _Definition] = {}
        self._parsed: dict[int, tuple[DashboardComponent, Component]] = {}
        self._uses: dict[int, _Use] = {}

    def build(
        self,
        dashboard: Dashboard,
        now: datetime,
        page: str | None = None,
        *,
        variables: Choices = NOTHING_CHOSEN,
        max_messages: int | None = None,
    ) -> View:
        """Return what the dashboard shows now, on `page` (None: its first), with what was chosen of its variables.

        Never raises for a broken definition.

        The view is that of the first message; what it cannot hold goes on in those `following`, at most `max_messages`
        in all (None: as the layout says). A component that fails becomes a Problem block in its place; the rest of the
        dashboard lives.
        """
        definition = self._definition(dashboard)
        context = self._context(definition, now, page, variables)
        with InRegion(context.region):
            blocks: list[Block] = list(context.problems)
            for component, parsed in definition.parts[context.page]:
                context.begin(component.id)
                try:
                    blocks += (parsed or self._filled(component, context)).render(context)
                except Exception as error:  # noqa: BLE001  # the guarded edge: no definition or reading can stop the bot
                    blocks.append(context.problem(component.name or component.type, error))
            if definition.discovers and _DISCOVERED not in context.types_used:
                blocks += self._discovered(context)
        if not blocks:
            shown = "Nothing to show right now." if definition.parts[context.page] else _NO_COMPONENTS
            blocks.append(Text(f"-# {shown}"))
        first, *following = self._compose(blocks, definition.layout, context, max_messages)
        return View(first, tuple(context.problems), context.pending, tuple(map(View, following)))

    def calls_of(
        self,
        dashboard: Dashboard,
        component_id: int,
        now: datetime,
        page: str | None = None,
        *,
        variables: Choices = NOTHING_CHOSEN,
    ) -> tuple[ButtonCall, ...]:
        """Return the calls of one component that the page shows, without rendering; none for a broken definition."""
        definition = self._definition(dashboard)
        context = self._context(definition, now, page, variables)
        with InRegion(context.region):
            for component, parsed in definition.parts[context.page]:
                if component.id == component_id:
                    context.begin(component_id)
                    try:
                        return tuple((parsed or self._filled(component, context)).calls(context))
                    except Exception:  # noqa: BLE001  # what is wrong is said in its place, when it is shown
                        return ()
        return ()

    def _context(self, definition: _Definition, now: datetime, page: str | None, chosen: Choices) -> RenderContext:
        """Return the context of one build, with the variables resolved, and the problems found so far."""
        if page not in definition.pages:
            page = definition.pages[0] if definition.pages else None
        use, region = self._use(definition.dashboard), self._region_of(definition.dashboard.guild_id)
        values: dict[str, Any] = {}
        resolved: dict[str, ResolvedVariable] = {}
        context = RenderContext(
            now,
            self._readings,
            self._templates,
            definition.template_values,
            page=page,
            components=self._components,
            expressions=self._expressions,
            histories=self._histories,
            charts=self._charts,
            region=region,
            variables=values,
            resolved=resolved,
            problems=[
                *definition.problems,
                *(Problem("Server", escape_markdown(fault)) for fault in region.faults),
            ],
            sources_read=use.sources,
            types_used=use.types,
        )
        with InRegion(region):
            for found, _ in resolve_all(definition.layout.variables, chosen, context):
                values[found.variable.name], resolved[found.variable.name] = found.value, found
        return context

    def _discovered(self, context: RenderContext) -> tuple[Block, ...]:
        """Return what adds itself to the dashboard, as a component that no row has."""
        context.begin(0)
        try:
            return Discovered().render(context)
        except Exception as error:  # noqa: BLE001  # the guarded edge: no reading can stop the bot
            return (context.problem(_DISCOVERED, error),)

    def offered_by(self, source: str) -> frozenset[str]:
        """Keys of the dashboards (domain.discovery) to which something of a source adds itself now."""
        try:
            return offered_dashboards(self._readings.latest(source))
        except UnknownSourceError:  # it was removed a moment ago
            return frozenset()

    def parse(self, component: DashboardComponent) -> Component:
        """Return the component's config as its type has it, parsed once per definition. Raises HomelabError."""
        known = self._parsed.get(component.id)
        if known is not None and (known[0] is component or known[0] == component):
            return known[1]
        parsed = self._components.make(component.type, component.config)
        self._parsed[component.id] = (component, parsed)
        return parsed

    def _filled(self, component: DashboardComponent, context: RenderContext) -> Component:
        """Return a component whose config depends on variables, as they are now. Raises HomelabError."""
        if not uses_variables(component.config):
            return self.parse(component)
        return context.make(component.type, context.filled(component.type, component.config))

    def use_types(self, templates: Iterable[ComponentTemplate]) -> frozenset[str]:
        """Build with these component templates from now on; the names of those that changed, came or went."""
        changed = self._components.define(templates)
        for definition in list(self._definitions.values()) if changed else ():
            if changed & self.types_of(definition.dashboard):
                self._drop(definition.dashboard)
        return changed

    def template_fields(self, type_name: str) -> frozenset[str]:
        """Names of the fields of a type's config that hold Jinja2."""
        return self._components.template_fields(type_name)

    def forget(self, dashboard: Dashboard) -> None:
        """Drop what was parsed for a dashboard that is gone."""
        self._drop(dashboard)
        self._uses.pop(dashboard.id, None)

    def sources_of(self, dashboard: Dashboard) -> frozenset[str]:
        """Names of the data sources that the dashboard depends on.

        Those that its components mention, and those that were read while it was built: only then is it known what a
        condition, a component template or an item led to.
        """
        return self._definition(dashboard).sources.union(self._use(dashboard).sources)

    def types_of(self, dashboard: Dashboard) -> frozenset[str]:
        """Names of the component types that the dashboard depends on, through all nesting."""
        return frozenset(component.type for component in dashboard.components).union(self._use(dashboard).types)

    def _drop(self, dashboard: Dashboard) -> None:
        self._definitions.pop(dashboard.id, None)
        for component in dashboard.components:
            self._parsed.pop(component.id, None)

    def _use(self, dashboard: Dashboard) -> _Use:
        known = self._uses.get(dashboard.id)
        if known is None or (known.dashboard is not dashboard and known.dashboard != dashboard):
            known = self._uses[dashboard.id] = _Use(dashboard, set(), set())
        known.dashboard = dashboard
        return known

    def _mentioned(self, dashboard: Dashboard, layout: Layout) -> frozenset[str]:
        parsed = (self._valid(component) for component in dashboard.components)
        sources = [component.sources() for component in parsed if component is not None]
        depending = [component.config for component in dashboard.components if uses_variables(component.config)]
        return mentioned_sources([*layout.variables, *map(dict, depending)]).union(*sources)

    def _definition(self, dashboard: Dashboard) -> _Definition:
        known = self._definitions.get(dashboard.id)
        if known is not None and known.dashboard is dashboard:
            return known
        layout, problems = _layout(dashboard)
        pages = pages_of(dashboard)
        parts = {page: self._parts(dashboard, page) for page in pages or (None,)}
        made = _Definition(
            dashboard,
            pages,
            parts,
            layout,
            problems,
            dashboard.template_values(),
            self._mentioned(dashboard, layout),
            discovers=all(row.type != _DISCOVERED for row in dashboard.components if row.enabled),
        )
        self._definitions[dashboard.id] = made
        return made

    def _parts(self, dashboard: Dashboard, page: str | None) -> list[tuple[DashboardComponent, Component | None]]:
        shown = (row for row in dashboard.components if row.enabled and row.page in (None, page))
        return [(row, self._valid(row)) for row in shown]

    def _valid(self, component: DashboardComponent) -> Component | None:
        """Return the component; None where its config is wrong, or depends on variables."""
        if uses_variables(component.config):
            return None
        try:
            return self.parse(component)
        except Exception:  # noqa: BLE001  # what is wrong is said in its place, when it is to be shown
            return None

    def _compose(
        self, blocks: list[Block], layout: Layout, context: RenderContext, most: int | None
    ) -> tuple[tuple[Block, ...], ...]:
        """Return what each message shows."""
        footer: tuple[Block, ...] = (_FOOTER_LINE, Stamp("Last change", context.now)) if layout.footer else ()
        frame = Frame(_accent(layout, context)) if layout.frame else None
        shown: Sequence[Block] = blocks
        if frame is not None and Container in map(type, blocks):
            shown, frame = framed(blocks, frame.accent), None
        return split(shown, most or layout.max_messages, frame=frame, footer=footer)


def pages_of(dashboard: Dashboard) -> tuple[str, ...]:
    """Return the dashboard's pages, in the order in which its components name them."""
    return tuple(dict.fromkeys(part.page for part in dashboard.components if part.enabled and part.page is not None))


def first_page(dashboard: Dashboard) -> str | None:
    """Return the page that a message shows before someone chose another; None where there are no pages."""
    return next(iter(pages_of(dashboard)), None)


def _layout(dashboard: Dashboard) -> tuple[Layout, tuple[Problem, ...]]:
    try:
        return Layout.model_validate(dict(dashboard.layout)), ()
    except ValidationError as error:
        detail = "; ".join(describe_validation_error(problem) for problem in error.errors())
        return Layout(), (Problem("Layout", escape_markdown(detail)),)


def _accent(layout: Layout, context: RenderContext) -> int | None:
    if layout.accent is None:
        return None
    if layout.accent == "status":
        return worst(STATUS_LEVELS[status] for status in context.statuses).accent
    return int(layout.accent.removeprefix("#"), 16)

"""The newest views of a dashboard in a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.bot.application.publishing.dashboard_messages import DashboardInChannel
from app.bot.application.rendering.builder import DashboardBuilder, pages_of
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import Placement, choices_of

PATIENCE_SECONDS = 3.0
"""How long a message waits for its charts before it is shown without them."""


class ViewCache:
    """Builds the views of a dashboard in a channel when they may have changed, and only then."""

    def __init__(self, definitions: DefinitionCache, builder: DashboardBuilder, clock: Callable[[], datetime]) -> None:
        self._definitions = definitions
        self._builder = builder
        self._clock = clock

    def views(self, shown: DashboardInChannel) -> tuple[View, ...]:
        """Return the newest view of each message; none when the dashboard is gone."""
        dashboard = self._definitions.dashboards.get(shown.dashboard_id)
        if dashboard is None:
            return ()
        if shown.outdated or not shown.views:
            self._build(shown, dashboard, patient=True)
        return shown.views

    def turn_page(self, shown: DashboardInChannel, page: str | None) -> tuple[View, ...]:
        """Turn to a page (None or an unknown one: the first) and return its views."""
        dashboard = self._definitions.dashboards.get(shown.dashboard_id)
        if dashboard is None:
            return ()
        chosen = page if page in pages_of(dashboard) else None
        return self._show_choice(shown, dashboard, replace(shown.placement, page=chosen))

    def choose(self, shown: DashboardInChannel, variable: str, values: Sequence[str]) -> tuple[View, ...]:
        """Choose the values of a variable and return the views with them."""
        dashboard = self._definitions.dashboards.get(shown.dashboard_id)
        if dashboard is None:
            return ()
        chosen = {**choices_of(shown.placement), variable: tuple(values)}
        stored = {name: list(kept) for name, kept in chosen.items()}
        return self._show_choice(shown, dashboard, replace(shown.placement, variables=stored))

    def _show_choice(self, shown: DashboardInChannel, dashboard: Dashboard, placement: Placement) -> tuple[View, ...]:
        shown.placement = placement
        for message in shown.messages:
            message.refusal = None
        self._build(shown, dashboard, patient=False)
        return shown.views

    def _build(self, shown: DashboardInChannel, dashboard: Dashboard, *, patient: bool) -> None:
        """Build the views. While something is missing in them a patient build waits: most charts take no second.

        When what is missing arrives the dashboard is refreshed, so there is no need to ask again and again.
        """
        shown.outdated = False
        chosen = shown.placement
        view = self._builder.build(dashboard, self._clock(), chosen.page, variables=choices_of(chosen))
        now = asyncio.get_running_loop().time()
        if not view.pending:
            shown.patient_until = None
        elif shown.patient_until is None:
            shown.patient_until = now + PATIENCE_SECONDS
        if not patient or shown.patient_until is None or shown.patient_until <= now:
            shown.views = view.messages

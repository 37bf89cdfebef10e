"""What a dashboard in a channel should show now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.bot.application.publishing.live import Live
from app.bot.application.publishing.live_message import LiveMessage
from app.bot.application.publishing.setbacks import refusal_view
from app.bot.application.rendering.builder import DashboardBuilder, pages_of
from app.bot.application.runtime.definitions import Definitions
from app.bot.domain.blocks.block import View
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import Placement, choices_of

PATIENCE_SECONDS = 3.0
"""How long a message waits for its charts before it is shown without them."""


class Painter:
    """Builds the views of a dashboard in a channel when they may have changed, and only then."""

    def __init__(self, definitions: Definitions, builder: DashboardBuilder, clock: Callable[[], datetime]) -> None:
        self._definitions = definitions
        self._builder = builder
        self._clock = clock

    def draw(self, live: Live) -> tuple[View, ...]:
        """The newest view of each message; none when the dashboard is gone."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        if dashboard is None:
            return ()
        if live.dirty or not live.views:
            self._paint(live, dashboard, patient=True)
        return live.views

    def view_of(self, live: Live, message: LiveMessage) -> View | None:
        """The newest view of one message; None when there is nothing for it to show any more."""
        views = self.draw(live)
        if message.placement.position >= len(views):
            return None
        if message.refusal is not None and message.refused_until <= asyncio.get_running_loop().time():
            message.refusal = None
        return views[message.placement.position] if message.refusal is None else refusal_view(message.refusal)

    def turn(self, live: Live, page: str | None) -> tuple[View, ...]:
        """Turn to a page (None or an unknown one: the first) and draw it."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        if dashboard is None:
            return ()
        chosen = page if page in pages_of(dashboard) else None
        return self._redraw(live, dashboard, replace(live.placement, page=chosen))

    def choose(self, live: Live, variable: str, values: Sequence[str]) -> tuple[View, ...]:
        """Choose the values of a variable and draw the dashboard with them."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        if dashboard is None:
            return ()
        chosen = {**choices_of(live.placement), variable: tuple(values)}
        stored = {name: list(kept) for name, kept in chosen.items()}
        return self._redraw(live, dashboard, replace(live.placement, variables=stored))

    def _redraw(self, live: Live, dashboard: Dashboard, placement: Placement) -> tuple[View, ...]:
        live.first.placement = placement
        for message in live.messages:
            message.refusal = None
        self._paint(live, dashboard, patient=False)
        return live.views

    def _paint(self, live: Live, dashboard: Dashboard, *, patient: bool) -> None:
        """Build the views. While something is missing in them a patient one waits: most charts take no second.

        When what is missing arrives the dashboard is refreshed, so nobody need ask again and again.
        """
        live.dirty = False
        chosen = live.placement
        view = self._builder.build(dashboard, self._clock(), chosen.page, variables=choices_of(chosen))
        now = asyncio.get_running_loop().time()
        if not view.pending:
            live.patient_until = None
        elif live.patient_until is None:
            live.patient_until = now + PATIENCE_SECONDS
        if not patient or live.patient_until is None or live.patient_until <= now:
            live.views = view.messages

    def renew_after(self, live: Live) -> int | None:
        """After how many seconds the messages are posted anew; None for never."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        return dashboard.renew_after if dashboard is not None else None


def plain_problems(view: View) -> tuple[dict[str, str], ...]:
    """A view's problems as they are stored for the admin."""
    return tuple({"title": problem.title, "detail": problem.detail} for problem in view.problems)

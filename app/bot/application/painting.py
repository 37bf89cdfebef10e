"""What a placement should show now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.bot.application.builders import DashboardBuilder, pages_of
from app.bot.application.definitions import Definitions
from app.bot.application.live import Live
from app.bot.application.setbacks import refusal_view
from app.bot.domain.blocks import View


class Painter:
    """Builds the view of a placement when it may have changed, and only then."""

    def __init__(self, definitions: Definitions, builder: DashboardBuilder, clock: Callable[[], datetime]) -> None:
        self._definitions = definitions
        self._builder = builder
        self._clock = clock

    def draw(self, live: Live) -> View | None:
        """The newest view; None when the dashboard is gone."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        if dashboard is None:
            return None
        if live.refusal is not None and live.refused_until <= asyncio.get_running_loop().time():
            live.refusal, live.dirty = None, True
        if live.dirty or live.view is None:
            live.dirty = False
            view = self._builder.build(dashboard, self._clock(), live.placement.page)
            live.view = view if live.refusal is None else refusal_view(live.refusal)
        return live.view

    def turn(self, live: Live, page: str | None) -> View | None:
        """Turn to a page (None or an unknown one: the first) and draw it as what the message shows from now on."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        if dashboard is None:
            return None
        chosen = page if page in pages_of(dashboard) else None
        live.placement = replace(live.placement, page=chosen)
        live.page_changes += 1
        live.refusal, live.dirty = None, True
        view = self.draw(live)
        if view is not None:
            live.placement = replace(
                live.placement, content_hash=view.fingerprint, problems=plain_problems(view), error=None
            )
        return view

    def renew_after(self, live: Live) -> int | None:
        """After how many seconds the message is posted anew; None for never."""
        dashboard = self._definitions.dashboards.get(live.placement.dashboard_id)
        return dashboard.renew_after if dashboard is not None else None


def plain_problems(view: View) -> tuple[dict[str, str], ...]:
    """A view's problems as they are stored for the admin."""
    return tuple({"title": problem.title, "detail": problem.detail} for problem in view.problems)

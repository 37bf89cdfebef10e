"""Messages wait for their charts, for a moment."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.application.publishing import view_cache
from app.bot.domain.dashboards.dashboard import DashboardComponent
from tests.bot.application.publishing.stage import NEVER, board, running
from tests.support.discord.server import DiscordServer

CHART = DashboardComponent(10, 1, "chart", config={"series": [{"source": "lab", "metric": "load"}]})
"""Its history never comes: nobody reads any here."""
DRAWING = "-# Drawing the chart …"


async def test_a_message_is_not_posted_before_its_charts_are_there(
    server: DiscordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_cache, "PATIENCE_SECONDS", 3_600.0)
    async with running(server, board(components=(CHART,))) as stage:
        await stage.idle()
        assert not server.posts


@pytest.mark.parametrize("before", [(), (DashboardComponent(11, 1, "text", config={"text": "Hello"}),)])
async def test_but_it_does_not_wait_for_ever(
    server: DiscordServer, monkeypatch: pytest.MonkeyPatch, before: tuple[Any, ...]
) -> None:
    monkeypatch.setattr(view_cache, "PATIENCE_SECONDS", 0.2)
    async with running(server, board(components=before or (CHART,), refresh_rate=NEVER)) as stage:
        if before:
            await stage.showing("Hello")
            await stage.define(board(components=(CHART,), refresh_rate=NEVER))
        await stage.showing(DRAWING)
        assert len(server.posts) == 1

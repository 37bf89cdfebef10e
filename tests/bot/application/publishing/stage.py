"""Publishing as it runs against a local Discord, with definitions and rows in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.bot.application.publishing.publisher import Publisher, PublisherConfig
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.changes import Change
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.dashboards.placements import DashboardMessage, Placement, PostState
from app.bot.domain.readings.reading import Metric, Reading
from app.bot.domain.readings.source import DataSource
from app.shared.templating import SandboxedTemplates
from tests.support.discord.server import DiscordServer
from tests.support.in_memory import InMemoryDashboards, InMemoryPlacements, definitions_of
from tests.support.local_discord import CHANNEL, GUILD, logged_in
from tests.support.waiting import until

OTHER = CHANNEL + 1
SOURCE = DataSource(1, "lab", "static")
FAST = PublisherConfig(min_refresh_seconds=0.02, first_retry_seconds=0.02, last_retry_seconds=0.05)
NEVER = 86_400
"""A refresh_rate after which no test waits: whatever changes does so for another reason."""


def board(text: str = "Hello", number: int = 1, **fields: Any) -> Dashboard:
    """A dashboard that shows one line and is looked at all the time."""
    part = DashboardComponent(number * 10, number, "text", config={"text": text})
    defaults = {"refresh_rate": 0, "channel_id": CHANNEL, "components": (part,), "layout": {"footer": False}}
    return Dashboard(number, GUILD, f"Board {number}", **{**defaults, **fields})


def paged(*pages: str, **fields: Any) -> Dashboard:
    parts = tuple(
        DashboardComponent(10 + index, 1, "text", position=index, page=page, config={"text": f"This is {page}"})
        for index, page in enumerate(pages)
    )
    return board(components=parts, **fields)


@dataclass
class Stage:
    """Publishing as it runs against a local Discord."""

    publisher: Publisher
    definitions: DefinitionCache
    dashboards: InMemoryDashboards
    placements: InMemoryPlacements
    readings: ReadingStore
    server: DiscordServer
    statistics: Statistics
    task: asyncio.Task[None]

    async def restart(self) -> None:
        """Run the publisher again, as after a change of its config."""
        self.task.cancel()
        await asyncio.wait({self.task})
        self.task = asyncio.create_task(self.publisher.run())

    async def define(self, *dashboards: Dashboard) -> None:
        """Change the definitions as rows do."""
        for dashboard in dashboards:
            self.dashboards.rows[dashboard.id] = dashboard
            await self.definitions.apply(Change("dashboards", str(dashboard.id)))

    async def undefine(self, dashboard_id: int) -> None:
        """Delete a dashboard; its placements go with it."""
        del self.dashboards.rows[dashboard_id]
        for row in [row for row in self.placements.placements.values() if row.dashboard_id == dashboard_id]:
            await self.placements.delete(row.id)
        await self.definitions.apply(Change("dashboards", str(dashboard_id), "DELETE"))

    def put(self, value: float) -> None:
        """The source has a fresh reading that nobody speaks of."""
        self.readings.put("lab", Reading(datetime.now(UTC), metrics=(Metric("load", value),)))

    def read(self, value: float) -> None:
        """The source has a fresh reading."""
        self.put(value)
        self.publisher.source_read("lab")

    def texts(self, channel_id: int = CHANNEL) -> list[str]:
        """What each message in a channel says, the oldest first."""
        messages = self.server.channels[channel_id].messages
        return [" / ".join(_texts(messages[message_id]["components"])) for message_id in sorted(messages)]

    def ids(self, channel_id: int = CHANNEL) -> list[int]:
        return sorted(self.server.channels[channel_id].messages)

    def placement(self, channel_id: int = CHANNEL) -> Placement:
        """The one row of a placement in a channel."""
        (row,) = [row for row in self.placements.placements.values() if row.channel_id == channel_id]
        return row

    def rows(self, channel_id: int = CHANNEL) -> list[DashboardMessage]:
        """The rows of all messages in a channel."""
        placements = self.placements.placements
        return [
            row for row in self.placements.messages.values() if placements[row.placement_id].channel_id == channel_id
        ]

    def row(self, channel_id: int = CHANNEL) -> DashboardMessage:
        """The one row of a message in a channel."""
        (row,) = self.rows(channel_id)
        return row

    async def showing(self, *texts: str, channel_id: int = CHANNEL) -> None:
        await until(lambda: self.texts(channel_id) == list(texts), lambda: f"{texts}, not {self.texts(channel_id)}")

    async def known(self, channel_id: int = CHANNEL) -> None:
        """Wait until the publisher knows of every message in the channel: Discord shows one before it has answered."""
        await until(
            lambda: all(row.state is not PostState.POSTING for row in self.rows(channel_id)), "the rows of the messages"
        )

    async def stored(self, state: PostState, channel_id: int = CHANNEL) -> DashboardMessage:
        await until(
            lambda: any(row.state == state for row in self.rows(channel_id)),
            lambda: f"{state}, not {self.placements.messages}",
        )
        return self.row(channel_id)

    async def idle(self) -> None:
        """Let publishing look at everything a few times more."""
        before = self.statistics.skipped
        await until(lambda: self.statistics.skipped >= before + 5, "five looks that found nothing to do")

    @property
    def requests(self) -> int:
        return self.server.request_count


def _texts(components: Iterable[dict[str, Any]]) -> list[str]:
    found = []
    for component in components:
        found += [component["content"]] if component["type"] == 10 else _texts(component.get("components", ()))
    return found


@asynccontextmanager
async def running(
    server: DiscordServer,
    *dashboards: Dashboard,
    placements: InMemoryPlacements | None = None,
    config: PublisherConfig = FAST,
) -> AsyncIterator[Stage]:
    rows, placements, readings = InMemoryDashboards(dashboards), placements or InMemoryPlacements(), ReadingStore()
    readings.define([SOURCE], datetime.now(UTC))
    definitions = definitions_of(rows, [SOURCE])
    await definitions.reload()
    builder = DashboardBuilder(ComponentFactory(component_types), readings, SandboxedTemplates(FILTERS, finalize))
    statistics = Statistics()
    async with logged_in(server, statistics) as messenger:
        publisher = Publisher(definitions, builder, placements, messenger, config, statistics=statistics)
        task = asyncio.create_task(publisher.run())
        stage = Stage(publisher, definitions, rows, placements, readings, server, statistics, task)
        try:
            yield stage
        finally:
            stage.task.cancel()
            await asyncio.wait({stage.task})

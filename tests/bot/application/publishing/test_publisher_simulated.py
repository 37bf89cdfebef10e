"""Publishing under SimCord: operations that settle and a clock that jumps, as in the end-to-end tests and the demo."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import discord
import simcord

from app.bot.application.publishing.publisher import Publisher
from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.changes import Change
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from app.shared.templating import SandboxedTemplates
from tests.support.in_memory import InMemoryDashboards, InMemoryPlacements, definitions_of


class Bot(discord.Client):
    """A bot that publishes nothing but these dashboards."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, guild_messages=True))
        self.dashboards = InMemoryDashboards([])
        self.placements = InMemoryPlacements()
        self.definitions = definitions_of(self.dashboards)
        self.instants = 0
        builder = DashboardBuilder(
            ComponentFactory(component_types), ReadingStore(), SandboxedTemplates(FILTERS, finalize)
        )
        self.publisher = Publisher(
            self.definitions, builder, self.placements, DiscordMessenger(self), clock=self._clock
        )

    def _clock(self) -> datetime:
        """Another instant each time, so that a dashboard that shows it always changes."""
        self.instants += 1
        return datetime.fromtimestamp(1_767_225_600 + self.instants, UTC)

    async def setup_hook(self) -> None:
        self.task = asyncio.create_task(self.publisher.run())

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.publisher.message_deleted(event.message_id)

    async def define(self, *dashboards: Dashboard) -> None:
        for dashboard in dashboards:
            self.dashboards.rows[dashboard.id] = dashboard
            await self.definitions.apply(Change("dashboards", str(dashboard.id)))


def board(number: int, text: str, channel_id: int, refresh_rate: int = 15) -> Dashboard:
    part = DashboardComponent(number, number, "text", config={"text": text})
    return Dashboard(number, 1, f"Board {number}", refresh_rate=refresh_rate, channel_id=channel_id, components=(part,))


async def test_messages_follow_definitions_and_the_clock() -> None:
    bot = Bot()
    async with simcord.run(bot) as env:
        channel = env.create_guild().create_text_channel("lab")
        await bot.define(board(1, "Hello", channel.id), board(2, "{{ now }}", channel.id))
        await env.settle()
        assert len(channel.history()) == 2
        await bot.define(board(1, "Changed", channel.id))
        await env.settle()
        assert any("Changed" in str(message.components) for message in env.backend.messages[channel.id].values())
        before = str(env.backend.messages[channel.id])
        await env.advance_time(16)
        assert str(env.backend.messages[channel.id]) != before


async def test_waiting_for_a_turn_is_no_unsettled_work() -> None:
    bot = Bot()
    async with simcord.run(bot) as env:
        channel = env.create_guild().create_text_channel("lab")
        await bot.define(*(board(number, f"Board {number}", channel.id) for number in range(1, 13)))
        await env.settle()
        assert len(channel.history()) == 5, "what Discord's bucket of a channel holds"
        await env.advance_time(11)
        assert len(channel.history()) == 12


async def test_a_message_that_a_user_deletes_comes_back() -> None:
    bot = Bot()
    async with simcord.run(bot) as env:
        owner = env.create_user("ada")
        guild = env.create_guild(owner=owner)
        ada, channel = guild.add_member(owner), guild.create_text_channel("lab")
        await bot.define(board(1, "Hello", channel.id))
        await env.settle()
        (message,) = channel.history()
        await ada.delete(message)
        await env.settle()
        (again,) = channel.history()
        assert again.id != message.id

"""A real discord.py client, logged in to the local Discord without a gateway connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from discord.http import Route

from app.bot.application.runtime.statistics import Statistics
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from app.bot.infrastructure.discord.pacing import Pacing
from tests.support.discord.server import DiscordServer

GUILD, CHANNEL = 700_000_000_000_000_000, 700_000_000_000_000_001


@asynccontextmanager
async def logged_in(server: DiscordServer, statistics: Statistics | None = None) -> AsyncIterator[DiscordMessenger]:
    """A messenger on a client of its own."""
    statistics = statistics or Statistics()
    pacing = Pacing(statistics)
    base, Route.BASE = Route.BASE, server.base_url
    client = discord.Client(intents=discord.Intents.none(), http_trace=pacing.trace())
    try:
        await client.login(server.token)
        yield DiscordMessenger(client, pacing, statistics)
    finally:
        await client.close()
        Route.BASE = base

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bench.discord_limits import Limits
from bench.discord_server import DiscordServer
from tests.bot.application.stage import OTHER
from tests.local_discord import CHANNEL, GUILD


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(GUILD, [CHANNEL, OTHER], Limits(route_requests=1_000)) as server:
        yield server

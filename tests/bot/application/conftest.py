from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bot.application.publishing.stage import OTHER
from tests.support.discord.limits import Limits
from tests.support.discord.server import DiscordServer
from tests.support.local_discord import CHANNEL, GUILD


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(GUILD, [CHANNEL, OTHER], Limits(route_requests=1_000)) as server:
        yield server

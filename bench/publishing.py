"""Publishing under Discord's limits: the share of the allowed edits that is reached, and the answers of 429.

200 dashboards that change all the time, in 40 channels, against a local server that enforces the limits with Discord's
own headers and answers. The server counts fixed windows, so what it allows is known exactly.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import discord
from discord.http import Route

from app.bot.application.publishing.publisher import Publisher
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.dashboards.placements import Placement, PostState
from app.bot.infrastructure.discord.messenger import DiscordMessenger
from app.bot.infrastructure.discord.pacing import Pacing
from bench.building import sample_builder, sample_readings
from tests.support.discord.limits import Limits
from tests.support.discord.server import DiscordServer
from tests.support.in_memory import InMemoryDashboards, InMemoryPlacements, definitions_of, placed

GUILD = 700_000_000_000_000_000
MEASURED_SECONDS = 30.0
MEASURED_OLD_SECONDS = 60.0
"""So few edits are allowed there that a shorter time would measure where it begins and ends."""
LATENCY_SECONDS = 0.05
"""There and back on average; each way takes a quarter to three quarters of it by chance."""
OLD_LIMITS = Limits(old_edits=3, old_seconds=6.0)
"""Discord publishes no numbers for edits of old messages; these are in the order of what users report, but faster."""


async def run() -> None:
    """Print one line for young messages, one where the whole bot's limit binds, one for old messages."""
    print("                                      allowed   reached   share   429 in all   429 after warm-up")
    await _measure("200 dashboards in 40 channels", channels=40, limits=Limits(), warm_up=12.0)
    await _measure("400 dashboards in 80 channels", channels=80, limits=Limits(), warm_up=25.0)
    await _measure("messages older than an hour", channels=40, limits=OLD_LIMITS, warm_up=15.0, age_seconds=7_200.0)


async def _measure(
    name: str, *, channels: int, limits: Limits, warm_up: float, age_seconds: float | None = None
) -> None:
    ids = [GUILD + 1 + number for number in range(channels)]
    boards = [_board(number + 1, ids[number % channels]) for number in range(channels * 5)]
    async with DiscordServer(GUILD, ids, limits, latency_seconds=LATENCY_SECONDS) as server:
        placements = InMemoryPlacements(_old_messages(server, boards, age_seconds) if age_seconds else ())
        async with _publishing(server, boards, placements):
            await asyncio.sleep(warm_up)
            begin = time.monotonic()
            await asyncio.sleep(MEASURED_OLD_SECONDS if age_seconds else MEASURED_SECONDS)
            end = time.monotonic()
    reached = sum(begin <= at < end for at, _, _ in server.edits)
    late = sum(at >= begin for at, _, _ in server.refused)
    allowed = _allowed_per_second(limits, channels, old=age_seconds is not None) * (end - begin)
    print(
        f"{name:35} {allowed:8.0f} {reached:9} {reached / allowed:7.1%} {len(server.refused):12} {late:19}", flush=True
    )


def _allowed_per_second(limits: Limits, channels: int, *, old: bool) -> float:
    by_channel = limits.old_edits / limits.old_seconds if old else limits.route_requests / limits.route_seconds
    return min(by_channel * channels, limits.global_requests / limits.global_seconds)


def _board(number: int, channel_id: int) -> Dashboard:
    component = DashboardComponent(number, number, "text", config={"text": "{{ now }}"})
    return Dashboard(number, GUILD, f"Board {number}", refresh_rate=2, channel_id=channel_id, components=(component,))


def _old_messages(server: DiscordServer, boards: Sequence[Dashboard], age_seconds: float) -> list[Placement]:
    posted_at = datetime.now(UTC) - timedelta(seconds=age_seconds)
    return [
        placed(
            board.id,
            board.id,
            board.channel_id or 0,
            state=PostState.POSTED,
            message_id=server.seed(board.channel_id or 0, {}, age_seconds),
            posted_at=posted_at,
        )
        for board in boards
    ]


@contextlib.asynccontextmanager
async def _publishing(
    server: DiscordServer, boards: Sequence[Dashboard], placements: InMemoryPlacements
) -> AsyncIterator[None]:
    statistics = Statistics()
    pacing = Pacing(statistics)
    base, Route.BASE = Route.BASE, server.base_url
    client = discord.Client(intents=discord.Intents.none(), http_trace=pacing.trace())
    await client.login(server.token)
    definitions = definitions_of(InMemoryDashboards(boards))
    await definitions.reload()
    messenger = DiscordMessenger(client, pacing, statistics)
    publisher = Publisher(definitions, sample_builder(sample_readings()), placements, messenger)
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await client.close()
        Route.BASE = base

"""The whole bot as its own process against a local Discord: from a changed row to the edit, idle edits, and memory.

The bot is the one that users run, with its own role on a real PostgreSQL. The local Discord answers at once and without
limits here, for what is measured is the bot; `bench.publishing` measures it under Discord's limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from app.shared.database.core.connection import connect
from app.shared.database.core.migrate import upgrade
from app.shared.database.core.opening import open_database
from bench.building import sample_components
from tests.support.discord.server import DiscordServer

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "1,100,1000").split(","))
CHANGES = {1: 15, 100: 200, 1_000: 200}
BUDGET_MILLISECONDS = 250
MEMORY_BUDGET_MIB = {100: 150, 1_000: 250}
PER_CHANNEL = 4
"""Dashboards in one channel: within the five edits of five seconds that a channel takes."""
SETTLE_SECONDS, IDLE_SECONDS = 8.0, 10.0
"""What was posted before the first reading is edited once with it, at the latest after the refresh rate of 5 s."""
GUILD = 700_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one size gave: latencies in milliseconds, edits while nothing changed, memory in MiB."""

    latencies: list[float]
    idle_edits: int
    memory: float


async def run() -> None:
    """Print one line per size."""
    print(
        "dashboards   row to edit: p50     p99   (budget p99 250 ms)   edits when nothing changed   memory of the bot"
    )
    for size in SIZES:
        outcome = await _measure(size)
        p50 = statistics.median(outcome.latencies)
        p99 = statistics.quantiles(outcome.latencies, n=100, method="inclusive")[98]
        budget = MEMORY_BUDGET_MIB.get(size)
        limit = f"(budget {budget})" if budget else ""
        print(
            f"{size:10,}   {p50:14.1f} ms {p99:5.1f} ms   {p99 / BUDGET_MILLISECONDS:12.2f} of budget"
            f"   {outcome.idle_edits:14}               {outcome.memory:8.0f} MiB {limit}",
            flush=True,
        )


async def _measure(size: int) -> Outcome:
    with (
        tempfile.TemporaryDirectory(prefix="homelab-bench-", ignore_cleanup_errors=True) as folder,
        open_database(Path(folder)) as urls,
    ):
        await upgrade(urls.owner, urls.bot_password)
        owner = await connect(urls.owner)
        await _define(owner, size)
        async with _discord(size) as server, _bot(server, urls.bot, Path(folder)) as bot:
            await _until(lambda: server.message_count() >= size, 120)
            await asyncio.sleep(SETTLE_SECONDS)
            idle_edits = await _idle(server)
            latencies = await _change_rows(owner, server, size)
            memory = psutil.Process(bot.pid).memory_info().rss / 2**20
        await owner.close()
    return Outcome(latencies, idle_edits, memory)


async def _define(owner: asyncpg.Connection, size: int) -> None:
    """Dashboards of ten components each on one static source, four to a channel."""
    await owner.execute("INSERT INTO guilds (id, name) VALUES ($1, 'Bench')", GUILD)
    await owner.execute(
        "INSERT INTO data_sources (name, type, config, interval_seconds) VALUES ('lab', 'static', $1, 2)",
        {"metrics": [{"name": "load.percent", "value": 42, "unit": "percent"}]},
    )
    for name in ("collector", "publisher", "heartbeat"):
        await owner.execute("INSERT INTO services (name, type) VALUES ($1, $1)", name)
    await owner.executemany(
        "INSERT INTO dashboards (guild_id, name, refresh_rate, channel_id) VALUES ($1, $2, 5, $3)",
        [(GUILD, f"Board {number}", GUILD + 1 + number // PER_CHANNEL) for number in range(size)],
    )
    boards = await owner.fetch("SELECT id FROM dashboards")
    await owner.executemany(
        "INSERT INTO dashboard_components (dashboard_id, type, position, config) VALUES ($1, $2, $3, $4)",
        [
            (board["id"], component.type, component.position, dict(component.config))
            for board in boards
            for component in sample_components()
        ],
    )


@contextlib.asynccontextmanager
async def _discord(size: int) -> AsyncIterator[DiscordServer]:
    channels = [GUILD + 1 + number for number in range((size + PER_CHANNEL - 1) // PER_CHANNEL)]
    async with DiscordServer(guild_id=GUILD, channel_ids=channels, limits=None) as server:
        yield server


@contextlib.asynccontextmanager
async def _bot(server: DiscordServer, bot_url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "DATABASE_URL": bot_url,
        "HOMELAB_BOT_DATABASE_URL": bot_url,
        "HOMELAB_DATA_DIR": str(folder),
        "HOMELAB_LOG_LEVEL": "WARNING",
        "DISCORD_TOKEN": server.token,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bot_process", server.base_url, env=environment
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _idle(server: DiscordServer) -> int:
    """Edits during a while in which every source is polled several times and gives the same."""
    before = server.edit_count()
    await asyncio.sleep(IDLE_SECONDS)
    return server.edit_count() - before


async def _change_rows(owner: asyncpg.Connection, server: DiscordServer, size: int) -> list[float]:
    """Milliseconds from a committed change of a dashboard's row to its edit reaching Discord."""
    rows = await owner.fetch("SELECT id, dashboard_id FROM dashboard_components WHERE type = 'text' ORDER BY id")
    latencies = []
    for number in range(CHANGES[size]):
        # One channel after the other: what is measured is the way to Discord, not waiting for a channel's limit.
        row = rows[number * (PER_CHANNEL + 1) % len(rows)]
        text = f"Change {number} of {row['dashboard_id']}"
        arrived = server.expect_edit(text)
        await owner.execute("UPDATE dashboard_components SET config = $2 WHERE id = $1", row["id"], {"text": text})
        committed = time.perf_counter()
        latencies.append((await asyncio.wait_for(arrived, 60) - committed) * 1000)
        await asyncio.sleep(1.1 if size == 1 else 0.1)
    return latencies


async def _until(condition: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # a callable without arguments
        if time.monotonic() > deadline:
            raise TimeoutError("The bot did not show every dashboard in time")
        await asyncio.sleep(0.1)

"""The real bot on a simulated Discord, with a browser page to click in: no account, no token, no network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import simcord
from simcord._clock import Clock
from simcord.backend.errors import SetupError

from app.bot.main import build_client
from app.catalog.seed import seed_dashboards
from app.settings import Settings
from app.shared.database.core.connection import connect
from app.shared.database.core.pool import create_pool
from app.shared.database.core.urls import DatabaseUrls
from app.shared.secrets import open_secret_box

GUILD_NAME = "Homelab"
BOT_NAME = "HomeLab"
REFRESH_SECONDS = 0.3
"""How far the page may lag behind the channel."""
IDLE_REFRESH_SECONDS = 5.0
"""How often the page is published when nothing was sent, so that relative times move."""
SETTLE_SECONDS = 0.9
"""SimCord waits out every sleep of the bot shorter than this after each step, so the bot's own loops sleep longer."""
KEPT_RECORDS = 500
"""Requests and events that SimCord remembers for tests: a demo may run for weeks."""


class _WallClock(Clock):
    """The simulated Discord lives now, so that messages, timestamps and their ages are those of the real day."""

    def now(self) -> datetime:
        return datetime.now(UTC)


async def run_demo(settings: Settings, urls: DatabaseUrls, announce: Callable[[str], None]) -> None:
    """Run until cancelled or until someone ends it on its page; `announce` is told the page's address.

    The guild, its channels and its members are the same at every start: the placement memory in the database goes on.
    Raises OSError when the port is taken.
    """
    key = settings.secret_key.get_secret_value() if settings.secret_key else None
    box = open_secret_box(settings.data_dir, key)
    pool = await create_pool(urls.bot)
    client = build_client(pool, urls.bot, box)
    env = simcord.Env(client, settle_timeout=SETTLE_SECONDS, check_errors=False, shard_count=1)
    env.backend.bot_user.name = BOT_NAME
    try:
        await env.start()
        channel, viewers, channels = _furnish(env)
        env.backend.clock = _WallClock()
        await _define(urls.owner, env.guild.id, channels)
        async with env.preview(channel, viewers=viewers, layout="channel", port=settings.demo_port) as preview:
            announce(preview.url)
            following = asyncio.create_task(_follow(env, preview))
            await preview.wait_closed()
            following.cancel()
    finally:
        await client.close()
        await env.shutdown()
        await pool.close()


def _furnish(env: simcord.Env) -> tuple[Any, list[Any], Mapping[str, int]]:
    """A guild with an owner, a friend, and channels: the page's channel, who may look, and channel ids by name."""
    owner = env.create_user("you", global_name="You (owner)")
    guild = env.create_guild(GUILD_NAME, owner=owner)
    lab = guild.create_text_channel("homelab", topic="The lab, live")
    general = guild.create_text_channel("general")
    friend = guild.add_member(env.create_user("friend", global_name="A friend"))
    member = guild.add_member(owner)
    return lab, [member, friend], {"homelab": lab.id, "general": general.id}


async def _define(owner_url: str, guild_id: int, channels: Mapping[str, int]) -> None:
    """The guild's row and the catalog's dashboards in it."""
    connection: asyncpg.Connection = await connect(owner_url, "homelab demo")
    try:
        await connection.execute(
            "INSERT INTO guilds (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", guild_id, GUILD_NAME
        )
        await seed_dashboards(
            connection, guild_id, {"this-machine": channels["homelab"], "the-bot-itself": channels["homelab"]}
        )
    finally:
        await connection.close()


async def _follow(env: simcord.Env, preview: Any) -> None:
    """Keep the page current, and what SimCord records for tests short."""
    seen, shown_at = 0, 0.0
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        requests, now = env.backend.http_requests, time.monotonic()
        if len(requests) == seen and now - shown_at < IDLE_REFRESH_SECONDS:
            continue  # nothing was sent: a page published for nothing would only get into the way of clicks
        try:
            await preview.refresh()
        except SetupError:
            continue  # someone clicks right now: the click publishes the page itself
        except TimeoutError:
            pass  # the bot was busy all the time; the next round shows what it did
        for record in (requests, env.backend.transcript):
            del record[:-KEPT_RECORDS]
        seen, shown_at = len(requests), now

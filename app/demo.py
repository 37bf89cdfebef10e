"""The real bot on a simulated Discord, with a browser page to click in: no account, no token, no network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import simcord
from simcord._clock import Clock
from simcord.backend.errors import SetupError

from app.bot.compose import build_client
from app.cli.processes import PortTakenError, check_ports
from app.cli.provision import add_guild, catalog_store
from app.definitions.seeding import dashboard_texts, seed_dashboards
from app.settings import Settings
from app.shared.database.core.connection import connect
from app.shared.database.core.engine import open_sessions
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


Define = Callable[[DatabaseUrls, int, Mapping[str, int]], Awaitable[None]]
"""Brings definitions into the database, for a guild's id and channel ids by name."""


async def define_catalog(urls: DatabaseUrls, guild_id: int, channels: Mapping[str, int]) -> None:
    """Define the catalog's dashboards in the channel that the page shows."""
    places = dict.fromkeys(dashboard_texts(), channels["homelab"])
    async with open_sessions(urls.owner, "homelab demo") as sessions:
        await seed_dashboards(sessions, catalog_store, guild_id, places)


async def run_demo(
    settings: Settings,
    urls: DatabaseUrls,
    announce: Callable[[str], None],
    define: Define = define_catalog,
    pictures: Mapping[str, tuple[str, bytes]] | None = None,
) -> None:
    """Run until cancelled or until someone ends it on its page; `announce` is told the page's address.

    `pictures` are name and content of what the page shows for addresses: it loads nothing from the web.

    The guild, its channels and its members are the same at every start: the placement memory in the database goes on.
    Raises PortTakenError.
    """
    check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
    key = settings.secret_key.get_secret_value() if settings.secret_key else None
    box = open_secret_box(settings.data_dir, key)
    pool = await create_pool(urls.bot)
    client = build_client(pool, urls.bot, box)
    env = simcord.Env(client, settle_timeout=SETTLE_SECONDS, check_errors=False, shard_count=1)
    env.backend.bot_user.name = BOT_NAME
    try:
        await _forget_commands(urls.owner, env.backend.application_id)
        await env.start()
        channel, viewers, channels = _furnish(env)
        env.backend.clock = _WallClock()
        await add_guild(urls.owner, env.guild.id, GUILD_NAME)
        await define(urls, env.guild.id, channels)
        async with _page(env, channel, viewers, settings.demo_port, pictures or {}) as preview:
            announce(preview.url)
            await preview.wait_closed()
    finally:
        await client.close()
        await env.shutdown()
        await pool.close()


def _furnish(env: simcord.Env) -> tuple[Any, list[Any], Mapping[str, int]]:
    """Return a guild with an owner and a friend: the page's channel, who may look, and channel ids by name."""
    owner = env.create_user("you", global_name="You (owner)")
    guild = env.create_guild(GUILD_NAME, owner=owner)
    lab = guild.create_text_channel("homelab", topic="The lab, live")
    general = guild.create_text_channel("general")
    friend = guild.add_member(env.create_user("friend", global_name="A friend"))
    member = guild.add_member(owner)
    return lab, [member, friend], {"homelab": lab.id, "general": general.id}


async def _forget_commands(owner_url: str, application_id: int) -> None:
    """Forget what was synced with an earlier Discord: this one begins without slash commands."""
    connection: asyncpg.Connection = await connect(owner_url, "homelab demo")
    try:
        await connection.execute(
            "UPDATE bot_instances SET command_hash = NULL WHERE application_id = $1", application_id
        )
    finally:
        await connection.close()


@asynccontextmanager
async def _page(
    env: simcord.Env, channel: Any, viewers: list[Any], port: int, pictures: Mapping[str, tuple[str, bytes]]
) -> AsyncIterator[Any]:
    """Yield the page in the browser, which follows the channel by itself. Raises PortTakenError."""
    preview: Any = env.preview(channel, viewers=viewers, layout="channel", port=port, assets=pictures)
    try:
        await preview.__aenter__()
    except SetupError as error:
        raise PortTakenError(
            f"The demo's page cannot be served ({error}). Set HOMELAB_DEMO_PORT to another port."
        ) from error
    turn = asyncio.Lock()
    preview._action = _patient(preview, turn)
    following = asyncio.create_task(_follow(env, preview, turn))
    try:
        yield preview
    finally:
        following.cancel()
        await preview.__aexit__(None, None, None)


def _patient(preview: Any, turn: asyncio.Lock) -> Callable[[str, Any], Awaitable[Any]]:
    """Take what someone does on the page although the page was published again since, or is just being published.

    SimCord's page is made for tests that stand still: it refuses a click on any but the newest publication, and one
    while it publishes. A control that has gone is still refused, as in Discord.
    """
    act = preview._action

    async def act_in_turn(context: str, body: Any) -> Any:
        async with turn:
            newest = preview._get_page(context).revision
            if isinstance(body, dict) and isinstance(body.get("published_revision"), int):
                body = {**body, "published_revision": newest}
            return await act(context, body)

    return act_in_turn


def _forget_files(env: simcord.Env) -> None:
    """Drop files that no message has any more: every chart that changes is another one."""
    messages = (message for channel in env.backend.messages.values() for message in channel.values())
    attached = {file["url"] for message in messages for file in message.attachments}
    files = env.backend.cdn._blobs
    for url in files.keys() - attached:
        del files[url]


async def _follow(env: simcord.Env, preview: Any, turn: asyncio.Lock) -> None:
    """Keep the page current, and what SimCord records for tests short."""
    seen, shown_at = 0, 0.0
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        requests, now = env.backend.http_requests, time.monotonic()
        if len(requests) == seen and now - shown_at < IDLE_REFRESH_SECONDS:
            continue  # nothing was sent: a page published for nothing would only get into the way of clicks
        async with turn:
            try:
                await preview.refresh()
            except SetupError:
                continue  # it is being closed
            except TimeoutError:
                pass  # the bot was busy all the time; the next round shows what it did
        for record in (requests, env.backend.transcript):
            del record[:-KEPT_RECORDS]
        _forget_files(env)
        seen, shown_at = len(requests), now

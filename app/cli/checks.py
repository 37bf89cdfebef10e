"""`homelab doctor`: look at everything that a running lab needs, and say in one line each what to do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import aiohttp
import asyncpg
from discord.http import Route

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.repositories.postgres import Pool
from app.bot.infrastructure.secrets import PostgresSecrets
from app.bot.run import NoTokenError, find_token
from app.cli.processes import PortTakenError, check_ports
from app.cli.provision import database_of
from app.settings import Settings
from app.shared.database.core.connection import connect, wait_for_database
from app.shared.database.core.errors import DatabaseError
from app.shared.database.core.migrate import status
from app.shared.database.core.pool import create_pool
from app.shared.database.core.urls import DatabaseUrls, describe
from app.shared.secrets import SecretBox, SecretError, open_secret_box

DATABASE_SECONDS = 10.0
DISCORD_SECONDS = 10.0
HEARTBEAT_SECONDS = 60.0
"""The bot writes every 15 s; a minute of silence means that it does not run."""
CLOCK_SECONDS = 5.0
"""More than this and signatures, timestamps and the ages of messages come out wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Literal["ok", "warning", "fault"]
    subject: str
    text: str


def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the order in which things depend on each other."""
    findings = [_data_folder(settings)]
    if findings[0].level == "fault":
        return findings
    try:
        with database_of(settings) as urls:
            findings += asyncio.run(_collect(settings, urls))
    except DatabaseError as error:
        findings.append(Finding("fault", "Database", str(error)))
    findings.append(_ports(settings))
    return findings


async def _collect(settings: Settings, urls: DatabaseUrls) -> list[Finding]:
    return [finding async for finding in _examine_database(settings, urls)]


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return Finding("ok", "Data folder", str(folder))
    return Finding(
        "fault", "Data folder", f"{existing} cannot be written. Give this user the right, or set HOMELAB_DATA_DIR."
    )


def _ports(settings: Settings) -> Finding:
    try:
        check_ports(settings.web_host, {"HOMELAB_WEB_PORT": settings.web_port})
        check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": settings.demo_port})
    except PortTakenError as error:
        return Finding("warning", "Ports", f"{error} (Fine if it is this program, running.)")
    return Finding("ok", "Ports", f"{settings.web_port} and {settings.demo_port} are free")


async def _examine_database(settings: Settings, urls: DatabaseUrls) -> AsyncIterator[Finding]:
    await wait_for_database(urls.owner, timeout_seconds=DATABASE_SECONDS)
    owner = await connect(urls.owner, "homelab doctor")
    version = owner.get_server_version()
    await owner.close()
    yield Finding("ok", "Database", f"PostgreSQL {version.major}.{version.minor}, {describe(urls.owner)}")
    schema = await status(urls.owner)
    if not schema.up_to_date:
        yield Finding(
            "fault", "Schema", f"Revision {schema.current or 'none'} of {schema.head}. Run: homelab db upgrade"
        )
        return
    yield Finding("ok", "Schema", f"Revision {schema.current}, up to date")
    try:
        pool = await create_pool(urls.bot, application_name="homelab doctor", max_size=2)
    except (asyncpg.PostgresError, OSError) as error:
        yield Finding("fault", "Bot's role", f"It cannot connect ({type(error).__name__}). Run: homelab db upgrade")
        return
    try:
        async for finding in _examine_bot(settings, pool):
            yield finding
    finally:
        await pool.close()


async def _examine_bot(settings: Settings, pool: Pool) -> AsyncIterator[Finding]:
    yield await _rights(pool)
    try:
        key = settings.secret_key.get_secret_value() if settings.secret_key else None
        box = open_secret_box(settings.data_dir, key)
    except SecretError as error:
        yield Finding("fault", "Secret key", str(error))
        return
    for finding in await _discord(settings, pool, box):
        yield finding
    yield await _heartbeat(pool)
    for finding in [*await _placements(pool), *await _sources(pool)]:
        yield finding


async def _rights(pool: Pool) -> Finding:
    may_create = await pool.fetchval("SELECT has_schema_privilege(current_user, current_schema(), 'CREATE')")
    may_read = await pool.fetchval("SELECT has_table_privilege(current_user, 'dashboards', 'SELECT')")
    may_define = await pool.fetchval("SELECT has_table_privilege(current_user, 'dashboards', 'UPDATE')")
    if not may_read:
        return Finding("fault", "Bot's role", "It may not read definitions. Run: homelab db upgrade")
    if may_create or may_define:
        return Finding(
            "warning", "Bot's role", "It may change the schema or definitions. Give the bot the role homelab_bot."
        )
    return Finding("ok", "Bot's role", "Reads definitions, writes only what it must")


async def _discord(settings: Settings, pool: Pool, box: SecretBox) -> list[Finding]:
    try:
        token = await find_token(settings, PostgresSecrets(pool, box))
    except NoTokenError:
        return [
            Finding("warning", "Discord", "No token: only the demo runs. Set DISCORD_TOKEN or enter it in the admin.")
        ]
    except HomelabError as error:
        return [Finding("fault", "Discord", str(error))]
    timeout = aiohttp.ClientTimeout(total=DISCORD_SECONDS)
    headers = {"Authorization": f"Bot {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as session,
            session.get(f"{Route.BASE}/users/@me") as answer,
        ):
            skew = _skew(answer.headers.get("Date"))
            if answer.status == 401:
                return [
                    Finding(
                        "fault", "Discord", "It does not accept the token. Copy it again from the Developer Portal."
                    ),
                    *skew,
                ]
            if answer.status != 200:
                return [Finding("warning", "Discord", f"It answered {answer.status}. Try again later."), *skew]
            user = await answer.json()
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return [Finding("warning", "Discord", f"It cannot be reached from here ({type(error).__name__}).")]
    return [
        Finding("ok", "Discord", f"Logged in as {user.get('username')}"),
        Finding("ok", "Intents", "Guilds and guild messages: no privileged intent is needed"),
        *skew,
    ]


def _skew(date: str | None) -> list[Finding]:
    """How far this machine's clock is from Discord's, by the Date header of its answer."""
    if date is None:
        return []
    seconds = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if seconds <= CLOCK_SECONDS:
        return [Finding("ok", "Clock", "Agrees with Discord's")]
    return [Finding("warning", "Clock", f"{seconds:.0f} s off Discord's. Switch on time synchronisation (NTP).")]


async def _heartbeat(pool: Pool) -> Finding:
    age = await pool.fetchval("SELECT extract(epoch FROM now() - max(last_seen_at)) FROM bot_instances")
    if age is None or age > HEARTBEAT_SECONDS:
        return Finding("warning", "Bot", "It is not running. Start it: homelab up")
    return Finding("ok", "Bot", f"Running, last seen {age:.0f} s ago")


async def _placements(pool: Pool) -> list[Finding]:
    rows = await pool.fetch(
        """
        SELECT board.name, coalesce(channel.name, placement.channel_id::text) AS channel, message.error
        FROM dashboard_messages AS message
        JOIN dashboard_placements AS placement ON placement.id = message.placement_id
        JOIN dashboards AS board ON board.id = placement.dashboard_id
        LEFT JOIN discord_channels AS channel ON channel.id = placement.channel_id
        WHERE message.error IS NOT NULL ORDER BY board.name
        """
    )
    if not rows:
        return [Finding("ok", "Dashboards", "Every placed dashboard can be shown")]
    return [Finding("fault", "Dashboards", f"“{row['name']}” in #{row['channel']}: {row['error']}") for row in rows]


async def _sources(pool: Pool) -> list[Finding]:
    rows = await pool.fetch(
        """
        SELECT source.name, state.error
        FROM source_states AS state JOIN data_sources AS source ON source.id = state.data_source_id
        WHERE state.error IS NOT NULL AND source.enabled ORDER BY source.name
        """
    )
    if not rows:
        return [Finding("ok", "Data sources", "None fails")]
    return [Finding("warning", "Data sources", f"“{row['name']}”: {row['error']}") for row in rows]

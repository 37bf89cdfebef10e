"""Runs the bot: waits for the database, logs in, waits for a token that Discord accepts, stays until a signal comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import asyncpg
import discord
import structlog

from app import logs
from app.bot.compose import build_client
from app.bot.domain.errors import HomelabError, StorageUnavailableError
from app.bot.infrastructure.open_files import allow_many_files
from app.bot.infrastructure.repositories.postgres import Pool
from app.bot.infrastructure.secrets import PostgresSecrets, UnknownSecretError
from app.bot.interface.client import HomelabClient
from app.settings import Settings
from app.shared.database.core.connection import wait_for_database
from app.shared.database.core.pool import create_pool
from app.shared.kit.backoff import Backoff
from app.shared.secrets import open_secret_box

log = structlog.get_logger(__name__)

TOKEN_SECRET = "discord_token"  # noqa: S105  # the name of a secret, not one
_LAST_RETRY_SECONDS = 60.0
_TOKEN_SECONDS = 2.0
"""How often the web admin is asked for another token than the one that Discord refused."""
_AUTHENTICATION_FAILED = 4004
"""The gateway's close code for a token that is not valid any more (documentation, opcodes and status codes)."""
_WRONG_TOKEN = (
    "Discord does not accept the token. Copy it again from the Developer Portal (Bot, Reset Token) into "  # noqa: S105  # a sentence
    "DISCORD_TOKEN, or into the secret “discord_token” of the web admin."
)


class BotStartError(HomelabError):
    """The bot cannot start; the text is one line that says what to do."""


class NoTokenError(BotStartError):
    """There is no Discord token, neither in the environment nor in the database."""


class WrongTokenError(BotStartError):
    """Discord does not accept the token."""


async def run_bot(settings: Settings, bot_url: str, **options: Any) -> None:
    """Run on the real Discord until SIGTERM, SIGINT or cancellation, then leave cleanly.

    Waits for a database that is down, and for another token where Discord refuses that of the web admin: anyone who
    mistyped it there can mend it there. Raises BotStartError, or DatabaseError for a database that no waiting helps
    (refused, too old a schema), each with one line that says what to do.
    """
    from app.shared.database.core.migrate import check  # Alembic is slow to import, and the demo does not need it

    allow_many_files()
    await wait_for_database(bot_url)
    await check(bot_url)
    box = open_secret_box(settings.data_dir, settings.secret_key.get_secret_value() if settings.secret_key else None)
    pool = await create_pool(bot_url)
    try:
        async with _stop_signals() as stopped:
            while not stopped.is_set():
                token = await find_token(settings, PostgresSecrets(pool, box))
                logs.hide(token)
                client = build_client(pool, bot_url, box, **options)
                try:
                    await _until_stopped(client, token, stopped)
                except WrongTokenError as error:
                    if settings.discord_token is not None:
                        raise
                    log.error(str(error))  # noqa: TRY400  # a line for the user; a traceback tells nothing more
                else:
                    return
                finally:
                    await client.close()
                await _until_another_token(settings, PostgresSecrets(pool, box), token, stopped)
    finally:
        await _close_pool(pool)


async def find_token(settings: Settings, secrets: PostgresSecrets) -> str:
    """Return the token: DISCORD_TOKEN, or the one entered in the web admin. Raises NoTokenError."""
    if settings.discord_token is not None:
        return settings.discord_token.get_secret_value()
    try:
        return (await secrets.get(TOKEN_SECRET)).strip()
    except UnknownSecretError:
        raise NoTokenError(
            "There is no Discord token. Set DISCORD_TOKEN, or enter it in the web admin as the secret “discord_token”."
        ) from None


async def _until_stopped(client: HomelabClient, token: str, stopped: asyncio.Event) -> None:
    """Stay connected until a signal comes. Raises WrongTokenError, or what ended the connection for good."""
    connection = asyncio.create_task(_stay_connected(client, token), name="discord")
    waiting = asyncio.create_task(stopped.wait(), name="signals")
    try:
        await asyncio.wait({connection, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if connection.done():
            connection.result()
            return
        log.info("stopping")
        await client.close()
    finally:
        for task in (connection, waiting):
            task.cancel()
        await asyncio.gather(connection, waiting, return_exceptions=True)


async def _until_another_token(
    settings: Settings, secrets: PostgresSecrets, refused: str, stopped: asyncio.Event
) -> None:
    """Wait until the web admin has another token than the refused one, or a signal comes."""
    while not stopped.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _TOKEN_SECONDS)
        secrets.forget()
        with suppress(NoTokenError, StorageUnavailableError):
            if await find_token(settings, secrets) != refused:
                return


async def _stay_connected(client: HomelabClient, token: str) -> None:
    backoff = Backoff(1.0, _LAST_RETRY_SECONDS)
    while True:
        pause = backoff.next()
        try:
            await client.login(token)
            break
        except discord.LoginFailure:
            raise WrongTokenError(_WRONG_TOKEN) from None
        except (aiohttp.ClientError, OSError, discord.HTTPException) as error:
            log.warning(f"Discord cannot be reached. Trying again in {pause:g} s", reason=type(error).__name__)
            await client.http.close()
            client.http.connector = discord.utils.MISSING  # closed with the session; the next login makes another
        await asyncio.sleep(pause)
    try:
        await client.connect()
    except discord.ConnectionClosed as error:
        if error.code == _AUTHENTICATION_FAILED:  # the token was reset while the bot was connected
            raise WrongTokenError(_WRONG_TOKEN) from None
        raise


@asynccontextmanager
async def _stop_signals() -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set by SIGTERM and SIGINT, where the platform lets an event loop hear of them."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    heard: list[signal.Signals] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or a loop in a thread
            loop.add_signal_handler(number, stopped.set)
            heard.append(number)
    try:
        yield stopped
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


async def _close_pool(pool: Pool) -> None:
    """Give connections a moment to finish; a database that hangs must not keep the process alive."""
    try:
        await asyncio.wait_for(pool.close(), 5)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        pool.terminate()

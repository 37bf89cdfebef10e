"""The process is killed at the worst moment: Discord has made the message, and nobody knows it yet."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from aiohttp import web
from cryptography.fernet import Fernet

from tests.support import factories
from tests.support.database import Database
from tests.support.discord.server import DiscordServer
from tests.support.waiting import until

GUILD, CHANNEL = 700_000_000_000_000_000, 700_000_000_000_000_001
KEY = Fernet.generate_key().decode()


@asynccontextmanager
async def bot_process(
    server: DiscordServer, database: Database, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot as its own process, which ends with the block at the latest."""
    environment = {
        **os.environ,
        "HOMELAB_BOT_DATABASE_URL": database.bot_url,
        "HOMELAB_DATA_DIR": str(folder),
        "HOMELAB_SECRET_KEY": KEY,
        "DISCORD_TOKEN": server.token,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "bench.bot_process", server.base_url, env=environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_kill_9_between_posting_and_remembering_leaves_one_message(
    database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await factories.guild(owner, id=GUILD)
    await factories.service(owner, name="publisher", type="publisher")
    dashboard = await factories.dashboard(owner, guild_id=GUILD, channel_id=CHANNEL)
    await factories.component(owner, dashboard_id=dashboard["id"], config={"text": "Servers"})

    async with DiscordServer(GUILD, [CHANNEL]) as server:
        async with bot_process(server, database, tmp_path) as doomed:

            async def kill(request: web.Request) -> None:
                if request.method == "POST" and request.path.endswith("/messages"):
                    doomed.kill()
                    await doomed.wait()

            server.before_answer = kill
            await asyncio.wait_for(doomed.wait(), 60)
        server.before_answer = None
        assert server.message_count() == 1
        assert await owner.fetchval("SELECT state FROM dashboard_messages") == "posting"
        await owner.execute("UPDATE dashboard_components SET config = $1", {"text": "Computers"})
        seen = server.expect_edit("Computers")

        async with bot_process(server, database, tmp_path):
            await asyncio.wait_for(seen, 60)

            async def remembered() -> bool:
                row = await owner.fetchrow("SELECT * FROM dashboard_messages")
                return row is not None and row["state"] == "posted" and row["message_id"] == server.posts[0][2]

            await until(remembered, "the message to be remembered")
        assert server.message_count() == 1
        assert len(server.posts) == 1

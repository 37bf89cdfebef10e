from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import discord
import pytest
from discord.http import Route

from tests.support.discord.limits import Limits
from tests.support.discord.server import DiscordServer
from tests.support.local_discord import CHANNEL, GUILD

MESSAGES = f"/channels/{CHANNEL}/messages"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def route_base() -> Iterator[None]:
    base = Route.BASE
    yield
    Route.BASE = base


@pytest.mark.usefixtures("route_base")
async def test_a_real_client_connects_and_sees_the_guild() -> None:
    async with DiscordServer(GUILD, [CHANNEL]) as server:
        Route.BASE = server.base_url
        client = discord.AutoShardedClient(intents=discord.Intents(guilds=True))
        running = asyncio.create_task(client.start(server.token))
        ready = asyncio.create_task(client.wait_until_ready())
        await asyncio.wait({running, ready}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert ready.done()
        assert not running.done()
        channel = client.get_channel(CHANNEL)
        assert isinstance(channel, discord.TextChannel)
        assert channel.permissions_for(channel.guild.me).send_messages
        message = await channel.send("Hello")
        assert server.channels[CHANNEL].get(message.id)["content"] == "Hello"
        await client.close()
        await asyncio.wait({running})


async def test_the_sixth_request_of_a_window_is_refused_with_discords_headers(http: aiohttp.ClientSession) -> None:
    async with DiscordServer(GUILD, [CHANNEL], Limits()) as server:
        for remaining in range(4, -1, -1):
            answer = await http.post(server.base_url + MESSAGES, json={"content": "x"})
            assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (200, str(remaining))
        refused = await http.post(server.base_url + MESSAGES, json={"content": "x"})
        body = await refused.json()
        assert refused.status == 429
        assert not body["global"]
        assert 0 < body["retry_after"] <= 5
        assert refused.headers["X-RateLimit-Scope"] == "user"
        assert [scope for _, scope, _ in server.refused] == ["user"]


async def test_the_limit_of_the_whole_bot_is_refused_as_global(http: aiohttp.ClientSession) -> None:
    async with DiscordServer(GUILD, [CHANNEL], Limits(global_requests=1, global_seconds=60)) as server:
        await http.get(server.base_url + "/users/@me")
        refused = await http.get(server.base_url + "/users/@me")
        assert (refused.status, refused.headers["X-RateLimit-Global"]) == (429, "true")
        assert (await refused.json())["global"]


async def test_old_messages_have_a_limit_of_their_own(http: aiohttp.ClientSession) -> None:
    async with DiscordServer(GUILD, [CHANNEL], Limits(old_edits=1, old_seconds=60)) as server:
        young, old = server.seed(CHANNEL, {}), server.seed(CHANNEL, {}, 3_700)
        edit = {"content": "y"}
        statuses = [
            (await http.patch(f"{server.base_url}{MESSAGES}/{message_id}", json=edit)).status
            for message_id in (old, old, young)
        ]
        assert statuses == [200, 429, 200]
        assert [code for _, _, code in server.refused] == [30046]


async def test_an_enforced_nonce_gives_the_same_message(http: aiohttp.ClientSession) -> None:
    async with DiscordServer(GUILD, [CHANNEL]) as server:
        body = {"content": "x", "nonce": "n", "enforce_nonce": True}
        ids = [(await (await http.post(server.base_url + MESSAGES, json=body)).json())["id"] for _ in range(2)]
        assert ids[0] == ids[1]
        assert (server.message_count(), len(server.posts)) == (1, 1)

"""A lab under test: the unmodified bot on a simulated Discord and a real PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
import discord
from cryptography.fernet import Fernet
from simcord import Env
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage
from simcord.types import HttpLogEntry

from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.compose import build_client
from app.bot.interface.client import HomelabClient
from app.shared.database.core.pool import create_pool
from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.database import Database
from tests.support.waiting import until

SERVICES = ("collector", "publisher", "heartbeat", "actions")
COMMANDS = {"dashboard": "Dashboards of this server", "status": "How the lab is doing", "sources": "The data sources"}
Message = discord.Message | ResponseMessage


def number_after(words: str, shown: str) -> int | None:
    """Return the whole number that follows the words, or None where none does."""
    found = re.search(rf"{re.escape(words)}\s*(\d+)", shown)
    return int(found[1]) if found is not None else None


class Lab:
    """One guild with one channel; Alice is a plain member, Ada has Manage Server."""

    def __init__(self, database: Database, owner: asyncpg.Connection) -> None:
        self.database = database
        self.owner = owner
        self.box = SecretBox(Fernet.generate_key().decode())
        self.pools: list[asyncpg.Pool] = []
        self.client: HomelabClient
        self.env: Env
        self.guild: GuildHandle
        self.channel: ChannelHandle
        self.alice: MemberActor
        self.ada: MemberActor

    async def start(self) -> None:
        """The definitions that every lab has, then the bot, then the guild it is in."""
        for name in SERVICES:
            await factories.service(self.owner, name=name, type=name)
        for name, description in COMMANDS.items():
            await factories.command(self.owner, name=name, type=name, description=description)
        self.client = await self._client()
        self.env = Env(self.client, shard_count=1)
        await self.env.start()
        self.guild = self.env.create_guild("Lab")
        self.channel = self.guild.create_text_channel("dashboards")
        managers = self.guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        self.alice = self.guild.add_member(self.env.create_user("alice"))
        self.ada = self.guild.add_member(self.env.create_user("ada"), roles=[managers])

        async def known() -> bool:
            return bool(await self.owner.fetchval("SELECT count(*) FROM discord_channels"))

        await until(known, "the bot to remember the guild and its channel")

    async def stop(self) -> None:
        await self.client.close()
        await self.env.shutdown()
        for pool in self.pools:
            pool.terminate()

    @property
    def definitions(self) -> DefinitionCache:
        """What the bot knows now."""
        known: DefinitionCache = self.client.parts.interactions._definitions  # nothing of it is public
        return known

    async def stop_bot(self) -> None:
        """The process ends; Discord and the database go on."""
        await self.client.close()

    async def start_bot(self) -> None:
        """Another process starts on the same Discord and database."""
        self.client = await self._client()
        await self.env.restart_bot(self.client)

    async def restart(self) -> None:
        await self.stop_bot()
        await self.start_bot()

    async def _client(self) -> HomelabClient:
        pool = await create_pool(self.database.bot_url, max_size=4)
        self.pools.append(pool)
        return build_client(pool, self.database.bot_url, self.box)

    async def dashboard(self, *components: Mapping[str, Any], **columns: Any) -> asyncpg.Record:
        """A dashboard of the guild with these components, shown in the channel unless the columns say otherwise."""
        async with self.owner.transaction():
            defaults = {"guild_id": self.guild.id, "channel_id": self.channel.id, "refresh_rate": 2}
            row = await factories.dashboard(self.owner, **{**defaults, **columns})
            for position, component in enumerate(components):
                columns = {"dashboard_id": row["id"], "position": position, **component}
                await factories.component(self.owner, **columns)
        return row

    async def source(self, **columns: Any) -> asyncpg.Record:
        return await factories.data_source(self.owner, **columns)

    def messages(self, channel: ChannelHandle | None = None) -> list[discord.Message]:
        """The public messages of a channel, oldest first."""
        return [message for message in (channel or self.channel).history() if not message.flags.ephemeral]

    def shown(self, channel: ChannelHandle | None = None) -> str:
        """All the text of a channel's public messages."""
        return "\n".join(text_of(message) for message in self.messages(channel))

    async def until_shown(self, text: str, channel: ChannelHandle | None = None) -> discord.Message:
        """The first message that shows the text."""

        def found() -> discord.Message | None:
            return next((message for message in self.messages(channel) if text in text_of(message)), None)

        message = await until(found, lambda: f"“{text}” to be shown; shown is:\n{self.shown(channel)}")
        assert message is not None
        return message

    async def until_number_shown(self, words: str) -> discord.Message:
        """Return the first message in which a number follows the words, which may be shown before it is read."""

        def found() -> discord.Message | None:
            shown = (message for message in self.messages() if number_after(words, text_of(message)) is not None)
            return next(shown, None)

        message = await until(found, lambda: f"a number after “{words}”; shown is:\n{self.shown()}")
        assert message is not None
        return message

    async def until_remembered(self, count: int = 1) -> list[asyncpg.Record]:
        """The rows of messages once so many of them are posted, and what they show is stored."""

        async def rows() -> list[asyncpg.Record] | None:
            found = await self.owner.fetch(
                "SELECT * FROM dashboard_messages WHERE state = 'posted' AND content_hash IS NOT NULL ORDER BY id"
            )
            return found if len(found) == count else None

        remembered = await until(rows, f"{count} remembered messages")
        assert remembered is not None
        return remembered

    async def until_synced(self, *names: str) -> None:
        """Wait until Alice sees these commands, and no others."""

        def roots() -> bool:
            return {name.split()[0] for name in self.ada.available_commands(self.channel)} == set(names)

        await until(roots, lambda: f"{names} to be synced; synced is {self.ada.available_commands(self.channel)}")

    async def until_over(self, result: InteractionResult) -> ResponseMessage:
        """The answer to an action once its run is over."""

        def over() -> ResponseMessage | None:
            answer = answer_of(result)
            return None if "⏳" in text_of(answer) else answer

        answer = await until(over, lambda: f"the run to end; shown is: {text_of(answer_of(result))}")
        assert answer is not None
        return answer

    async def runs(self) -> list[asyncpg.Record]:
        return await self.owner.fetch("SELECT * FROM action_runs ORDER BY id")

    async def audit(self, action: str) -> list[asyncpg.Record]:
        return await self.owner.fetch("SELECT * FROM audit_log WHERE action = $1 ORDER BY id", action)

    def requests(self, method: str, part: str) -> list[HttpLogEntry]:
        return [request for request in self.env.http_requests if request.method == method and part in request.path]

    @property
    def edits(self) -> int:
        """How many times the bot edited a message in the channel."""
        return len(self.requests("PATCH", f"/channels/{self.channel.id}/messages/"))

    @property
    def posts(self) -> int:
        return sum(request.path.endswith("/messages") for request in self.requests("POST", "/channels/"))


def components_of(message: Message) -> Iterator[dict[str, Any]]:
    """Every component of a message, nested ones too, as on the wire."""
    if isinstance(message, ResponseMessage):
        yield from walk_components(message.components)
    else:
        yield from walk_components([component.to_dict() for component in message.components])


def text_of(message: Message) -> str:
    """All texts of a message."""
    return "\n".join(component["content"] for component in components_of(message) if component.get("type") == 10)


def answer_of(result: InteractionResult) -> ResponseMessage:
    """What the user got to see: the answer, or what followed a deferred one."""
    message = result.response or next(iter(result.followups), None)
    assert message is not None, "the interaction was not answered"
    return message


def heading(text: str) -> dict[str, Any]:
    return {"type": "heading", "config": {"text": text}}


def text(template: str, **columns: Any) -> dict[str, Any]:
    return {"type": "text", "config": {"text": template}, **columns}


def refresh_button() -> dict[str, Any]:
    return {"type": "buttons", "config": {"buttons": [{"label": "Refresh"}]}}


def action_button(action: str, label: str = "Run") -> dict[str, Any]:
    return {"type": "buttons", "config": {"buttons": [{"label": label, "do": "action", "action": action}]}}


def page_select(*pages: str) -> dict[str, Any]:
    return {"type": "page_select", "config": {"options": [{"page": page} for page in pages]}}

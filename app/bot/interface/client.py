"""The Discord client: gateway events become calls of the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import discord
import structlog

from app.bot.application.actions.interactions import Interactions
from app.bot.application.publishing.publisher import Publisher
from app.bot.application.runtime.background import Background, detached
from app.bot.application.runtime.guild_register import GuildRegister, SeenGuild
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.custom_id import CustomId
from app.bot.domain.guilds import Channel
from app.bot.interface.action_replies import ActionReplies
from app.bot.interface.command_tree import CommandTree
from app.bot.interface.interactions import Clickable, click_of
from app.bot.interface.replies import Replies

log = structlog.get_logger(__name__)


def intents() -> discord.Intents:
    """Guilds for names and permissions, guild messages to hear of deleted ones. Neither is privileged."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    return wanted


@dataclass(frozen=True, slots=True)
class Parts:
    """What the client hands its events to, and `background`, which it starts and stops."""

    background: Background
    guild_register: GuildRegister
    publisher: Publisher
    interactions: Interactions
    replies: Replies
    action_replies: ActionReplies


class HomelabClient(discord.AutoShardedClient):
    """Carries no state of its own but the connection.

    Many parts send through the client, so it makes them itself, by `make_parts`. Options are the library's own:
    `http_trace`, `shard_ids`, `shard_count`.
    """

    def __init__(self, statistics: Statistics, make_parts: Callable[[HomelabClient], Parts], **options: Any) -> None:
        super().__init__(
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            **options,
        )
        self.tree = CommandTree(self)
        self.statistics = statistics
        self._login_begun = False
        self.parts = make_parts(self)

    @property
    def measured_latency(self) -> float | None:
        """Seconds between a heartbeat of the gateway and its answer; None before the first."""
        latency = self.latency if self.shards else None
        # The library says NaN or infinity where nothing was measured.
        return latency if latency is not None and latency == latency and latency < float("inf") else None  # noqa: PLR0124

    async def setup_hook(self) -> None:
        """Prepare, once after login and before the gateway connects; the library calls it."""
        self.add_dynamic_items(Clickable)
        self.parts.background.start()

    async def login(self, token: str) -> None:
        """Log in, and start the application by `setup_hook`."""
        self._login_begun = True
        await super().login(token)

    async def close(self) -> None:
        """Stop everything that runs, then leave Discord."""
        await self.parts.background.stop()
        if self._login_begun:  # before that the library has nothing to close, and fails at it
            await super().close()

    async def on_ready(self) -> None:
        """Take in the guilds: the gateway is connected and all shards know theirs."""
        log.info("connected to Discord", user=str(self.user), guilds=len(self.guilds))

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Any interaction. Forms come back here by their custom_id alone, so they work after any restart."""
        if interaction.type is discord.InteractionType.modal_submit:
            data: Any = interaction.data or {}
            custom_id = CustomId.parse(str(data.get("custom_id", "")))
            if custom_id is not None:
                await self.parts.action_replies.submitted(interaction, click_of(interaction, custom_id))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Take in a guild that can be seen (again), also once after each start."""
        self.parts.guild_register.seen(seen_guild(guild))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Take in a guild that invited the bot."""
        log.info("joined a guild", guild=guild.name)
        self.parts.guild_register.seen(seen_guild(guild))

    async def on_guild_update(self, _before: discord.Guild, after: discord.Guild) -> None:
        """Take in a guild that was renamed, or changed otherwise."""
        self.parts.guild_register.seen(seen_guild(after))

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """Take in a new channel."""
        self.parts.guild_register.seen(seen_guild(channel.guild))

    async def on_guild_channel_update(self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """Take in a channel that was renamed, moved, or given other permissions."""
        self.parts.guild_register.seen(seen_guild(after.guild))
        self._permissions_changed((after,))

    async def on_guild_role_update(self, _before: discord.Role, after: discord.Role) -> None:
        """Take in that a role, perhaps the bot's own, was given other permissions."""
        self.parts.guild_register.seen(seen_guild(after.guild))
        self._permissions_changed(after.guild.text_channels)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget a channel that is gone, and the messages in it."""
        self.parts.guild_register.seen(seen_guild(channel.guild))
        self._tell_publisher(Publisher.channel_deleted, channel.id)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Someone deleted a message, perhaps one of the bot's."""
        self._deleted((event.message_id,))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Another bot deleted many messages at once."""
        self._deleted(event.message_ids)

    def _permissions_changed(self, channels: Iterable[discord.abc.GuildChannel]) -> None:
        for channel in channels:
            self._tell_publisher(Publisher.channel_changed, channel.id)

    def _deleted(self, message_ids: Iterable[int]) -> None:
        for message_id in message_ids:
            self._tell_publisher(Publisher.message_deleted, message_id)

    def _tell_publisher(self, tell: Callable[[Publisher, int], None], snowflake: int) -> None:
        """Tell the publisher outside this event's context: what it starts goes on long after it."""
        if self.parts.publisher.is_running:
            detached(lambda: tell(self.parts.publisher, snowflake))


def seen_guild(guild: discord.Guild) -> SeenGuild:
    """Return the guild with the text channels that the bot can see."""
    channels = [
        Channel(channel.id, guild.id, channel.name, str(channel.type), channel.position)
        for channel in guild.text_channels
        if guild.me is None or channel.permissions_for(guild.me).view_channel
    ]
    return SeenGuild(guild.id, guild.name, channels)

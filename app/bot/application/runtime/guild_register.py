"""What the gateway tells of guilds and channels, written where the admin finds them by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.guilds import Channel
from app.bot.domain.repositories import GuildRepository
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.write_behind import WriteBehind

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 5.0
_LATER = (StorageUnavailableError, MissingTableError, MissingColumnError)
"""Failures of the storage, not of a guild: the guilds are kept and written later."""


@dataclass(frozen=True, slots=True)
class SeenGuild:
    """A guild as the gateway shows it now."""

    id: int
    name: str
    channels: Sequence[Channel]


class GuildRegister(WriteBehind[int, SeenGuild]):
    """Keeps the newest picture of each guild until it is written; many changes in a row become one write."""

    def __init__(self, guilds: GuildRepository) -> None:
        super().__init__(
            "a guild",
            "guild_id",
            self._save,
            outage=Outage(log, "guilds cannot be written; trying again"),
            later=_LATER,
            backoff=Backoff(_AGAIN_SECONDS, _AGAIN_SECONDS),
        )
        self._guilds = guilds

    def seen(self, guild: SeenGuild) -> None:
        """Write down a guild that was joined, became available or changed."""
        self.put(guild.id, guild)

    async def _save(self, seen: Mapping[int, SeenGuild]) -> None:
        for guild in seen.values():
            await self._guilds.seen(guild.id, guild.name, guild.channels)
            await asyncio.sleep(0)

"""What the gateway tells of guilds and channels, written where the admin finds them by name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from app.bot.application.runtime.wakeable_sleep import WakeableSleep
from app.bot.domain.errors import HomelabError
from app.bot.domain.guilds import Channel
from app.bot.domain.repositories import GuildRepository

log = structlog.get_logger(__name__)

_IDLE_SECONDS, _AGAIN_SECONDS = 3_600.0, 5.0


@dataclass(frozen=True, slots=True)
class SeenGuild:
    """A guild as the gateway shows it now."""

    id: int
    name: str
    channels: Sequence[Channel]


class GuildRegister:
    """Keeps the newest picture of each guild until it is written; many changes in a row become one write."""

    def __init__(self, guilds: GuildRepository) -> None:
        self._guilds = guilds
        self._waiting: dict[int, SeenGuild] = {}
        self._sleep = WakeableSleep()

    def seen(self, guild: SeenGuild) -> None:
        """A guild was joined, became available or changed."""
        self._waiting[guild.id] = guild
        self._sleep.wake()

    async def run(self) -> None:
        """Write until cancelled; what could not be written is tried again."""
        said: str | None = None
        while True:
            problem = await self._write()
            if problem != said and problem is not None:
                log.warning("guilds cannot be written; trying again", reason=problem)
            said = problem
            await self._sleep.sleep(_AGAIN_SECONDS if problem else _IDLE_SECONDS)

    async def _write(self) -> str | None:
        """Write what waits; the reason where something could not be written."""
        problem = None
        for guild in list(self._waiting.values()):
            try:
                await self._guilds.seen(guild.id, guild.name, guild.channels)
            except HomelabError as error:
                problem = str(error)
                continue
            if self._waiting.get(guild.id) is guild:
                del self._waiting[guild.id]
            await asyncio.sleep(0)
        return problem

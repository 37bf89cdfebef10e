"""The heartbeat: this process tells the database that it lives, and how it is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.guilds import BotInstance
from app.bot.domain.repositories import BotInstanceRepository

log = structlog.get_logger(__name__)


class HeartbeatConfig(BaseModel, title="Heartbeat"):
    """Writes how the bot is doing.

    The admin and `homelab doctor` read there that the bot runs, its latency, its guilds and what it counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_seconds: float = Field(15.0, ge=1, le=600, description="Seconds between two entries")


class Heartbeat:
    """Writes bot_instances. `describe` gives the process as it is now."""

    def __init__(
        self, instances: BotInstanceRepository, describe: Callable[[], BotInstance], config: HeartbeatConfig
    ) -> None:
        self._instances = instances
        self._describe = describe
        self._config = config

    async def run(self) -> None:
        """Beat until cancelled. A database that is away is no failure of this service: the next beat finds it."""
        missing: str | None = None
        while True:
            try:
                await self._instances.heartbeat(self._describe())
                missing = None
            except StorageUnavailableError:
                pass  # whoever listens for changes has logged that the database is away
            except (MissingTableError, MissingColumnError) as error:
                if missing != str(error):
                    log.warning("the heartbeat cannot be written", reason=str(error))
                missing = str(error)
            await asyncio.sleep(self._config.interval_seconds)

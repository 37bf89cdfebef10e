"""The heartbeat: this process tells the database that it lives, and how it is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.application.runtime.service import Service
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


class Heartbeat(Service[HeartbeatConfig]):
    """Writes bot_instances. `describe` gives the process as it is now."""

    name: ClassVar[str] = "heartbeat"
    config_model = HeartbeatConfig

    def __init__(
        self,
        instances: BotInstanceRepository,
        describe: Callable[[], BotInstance],
        config: HeartbeatConfig | None = None,
    ) -> None:
        self._instances = instances
        self._describe = describe
        self._config = config or HeartbeatConfig()

    def configure(self, config: HeartbeatConfig) -> None:
        """Take another config, which counts from the next beat on."""
        self._config = config

    async def beat(self) -> None:
        """Write how the process is now. Raises what the repository raises."""
        await self._instances.heartbeat(self._describe())

    async def run(self) -> None:
        """Beat until cancelled. A database that is away is no failure of this service: the next beat finds it."""
        missing: str | None = None
        while True:
            try:
                await self.beat()
                missing = None
            except StorageUnavailableError:
                pass  # the listener for changes has logged that the database is away
            except (MissingTableError, MissingColumnError) as error:
                if missing != str(error):
                    log.warning("the heartbeat cannot be written", reason=str(error))
                missing = str(error)
            await asyncio.sleep(self._config.interval_seconds)

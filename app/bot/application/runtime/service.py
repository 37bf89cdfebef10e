"""A service: a long-running part of the bot that a row configures and switches on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel

from app.bot.domain.errors import HomelabError

Config = TypeVar("Config", bound=BaseModel)


class ServiceOffError(HomelabError):
    """A service that is needed does not run; the text says which, and where to switch it on."""


class Service(ABC, Generic[Config]):
    """Base of every service. It is made once, with the bot; the supervisor runs it as long as its row says so.

    Those who use a service hold it, whether it runs or not.
    """

    name: ClassVar[str]
    """The type in its row, which users know it by as well."""
    config_model: ClassVar[type[BaseModel]]

    is_running = False
    """Set by the supervisor as long as `run` goes on."""

    @abstractmethod
    def configure(self, config: Config) -> None:
        """Take the config of the row. The supervisor calls this before `run`."""

    @abstractmethod
    async def run(self) -> None:
        """Work until cancelled. May be called again after it failed or was cancelled."""

    def require_running(self) -> None:
        """Raise ServiceOffError unless it runs."""
        if not self.is_running:
            raise ServiceOffError(
                f"The {self.name} is not running right now. "
                "Look at the services in the web admin, or try again shortly."
            )

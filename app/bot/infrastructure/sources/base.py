"""What a data source type is: a pydantic model of its config that can take a reading.

A new type is one file in this package; docs/add-a-data-source-type.md goes through it step by step.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from pydantic import BaseModel, ConfigDict

from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.pushes import NoPushes, PushRepository
from app.bot.domain.readings.reading import Reading
from app.bot.domain.registry import Registry
from app.bot.infrastructure.integrations.logins import Logins
from app.bot.infrastructure.secrets import SecretResolver


class SourceFailedError(HomelabError):
    """A source gave no reading; the text says why in a few words and is shown to users."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What the process shares among its data sources."""

    session: aiohttp.ClientSession
    secrets: SecretResolver
    statistics: Statistics
    logins: Logins = field(default_factory=Logins)
    source: str = ""
    """Name of the data source that is read."""
    pushes: PushRepository = field(default_factory=NoPushes)
    poll_soon: Callable[[], None] = lambda: None
    """Asks for a poll of this source now: for a type that is told of changes between its polls."""


class Source(BaseModel):
    """Base of every data source type. Fields are the config; the class docstring is what the admin shows.

    One instance reads one data source for as long as its config stays the same. What it must remember between two
    readings (counters, to make rates of them) it keeps in pydantic's private attributes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    async def read(self, resources: Resources) -> Reading:
        """Take a reading. The caller limits the time, and calls one at a time.

        Raises SourceFailedError (or another HomelabError) when there is nothing to read; the poll then becomes a
        reading of status down with the error's text, and the next one waits longer. Anything else it raises is shown
        as a fault of this type, without the exception's text.
        """

    async def close(self) -> None:
        """Let go of what is held: the source was removed, disabled or changed."""


source_types: Registry[type[Source]] = Registry("data source type")
"""Every builtin data source type by its name; filled when `app.bot.infrastructure.sources` is imported."""

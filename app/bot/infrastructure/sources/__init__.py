"""The builtin data source types, one file each. Importing this package registers them all."""

from __future__ import annotations

from app.bot.application.polling import Reader
from app.bot.domain.component import parse_config
from app.bot.domain.readings import Reading
from app.bot.domain.sources import DataSource
from app.bot.infrastructure.sources import bot, calendar, feed, host, http_check, http_json, simulated, static, weather
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, SourceType, source_types

__all__ = [
    "Resources",
    "SourceFailedError",
    "SourceType",
    "bot",
    "calendar",
    "feed",
    "host",
    "http_check",
    "http_json",
    "open_reader",
    "simulated",
    "source_types",
    "static",
    "weather",
]


class _SourceReader:
    """A data source type with its resources; fulfils the application's Reader."""

    def __init__(self, source: SourceType, resources: Resources) -> None:
        self._source = source
        self._resources = resources

    async def read(self) -> Reading:
        return await self._source.read(self._resources)

    async def close(self) -> None:
        await self._source.close()


def open_reader(definition: DataSource, resources: Resources) -> Reader:
    """A reader for a data source. Raises UnknownTypeError, or InvalidConfigError that names each wrong field."""
    model = source_types[definition.type]
    return _SourceReader(parse_config(model, definition.config, f"Config of “{definition.name}”"), resources)

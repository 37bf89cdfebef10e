"""Opens what reads a data source: its type's Python file, or its type's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from app.bot.application.collecting.polling import Reader
from app.bot.domain.components.component import parse_config
from app.bot.domain.integrations.definition import Integration
from app.bot.domain.readings.reading import Reading
from app.bot.domain.readings.source import DataSource
from app.bot.domain.readings.source_tests import SourceTestResult
from app.bot.infrastructure.integrations.source import IntegrationSource, open_integration
from app.bot.infrastructure.sources import Resources, Source, source_types


class _SourceReader(Reader):
    """A builtin source with its resources."""

    def __init__(self, source: Source, resources: Resources) -> None:
        self._source = source
        self._resources = resources

    async def read(self) -> Reading:
        return await self._source.read(self._resources)

    async def close(self) -> None:
        await self._source.close()


def open_reader(
    definition: DataSource, resources: Resources, integration: Mapping[str, Integration] = MappingProxyType({})
) -> Reader:
    """Return a reader for a data source of a builtin type, or of an integration.

    An integration named like a builtin one is never used. Raises UnknownTypeError, or InvalidConfigError that names
    each wrong field.
    """
    if definition.type not in source_types and definition.type in integration:
        return open_integration(integration[definition.type], definition, resources)
    model = source_types[definition.type]
    config = parse_config(model, definition.config, f"Config of “{definition.name}”")
    return _SourceReader(config, replace(resources, source=definition.name))


async def test_source(source: DataSource, integration: Integration | None, resources: Resources) -> SourceTestResult:
    """Read a source once, and tell all that was seen on the way. Raises a HomelabError for a config that is wrong."""
    reader = open_reader(source, resources, {} if integration is None else {source.type: integration})
    try:
        if isinstance(reader, IntegrationSource):
            return await reader.test()
        return SourceTestResult(await reader.read())
    finally:
        await reader.close()

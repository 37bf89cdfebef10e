"""Opens what reads a data source: its type's Python file, or its type's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from app.bot.application.collecting.polling import Reader
from app.bot.domain.components.component import parse_config
from app.bot.domain.integrations.definition import DeclarativeType
from app.bot.domain.readings.inspections import Inspection
from app.bot.domain.readings.reading import Reading
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.integrations.source import DeclarativeSource, open_declarative
from app.bot.infrastructure.sources import Resources, SourceType, source_types


class _SourceReader:
    """A data source type with its resources; fulfils the application's Reader."""

    def __init__(self, source: SourceType, resources: Resources) -> None:
        self._source = source
        self._resources = resources

    async def read(self) -> Reading:
        return await self._source.read(self._resources)

    async def close(self) -> None:
        await self._source.close()


def open_reader(
    definition: DataSource, resources: Resources, declared: Mapping[str, DeclarativeType] = MappingProxyType({})
) -> Reader:
    """A reader for a data source of a builtin type, or of one of those that rows declare.

    A declared type named like a builtin one is never used. Raises UnknownTypeError, or InvalidConfigError that names
    each wrong field.
    """
    if definition.type not in source_types and definition.type in declared:
        return open_declarative(declared[definition.type], definition, resources)
    model = source_types[definition.type]
    config = parse_config(model, definition.config, f"Config of “{definition.name}”")
    return _SourceReader(config, replace(resources, source=definition.name))


async def inspect_source(source: DataSource, declared: DeclarativeType | None, resources: Resources) -> Inspection:
    """Read a source once, and tell all that was seen on the way. Raises a HomelabError for a config that is wrong."""
    reader = open_reader(source, resources, {} if declared is None else {source.type: declared})
    try:
        if isinstance(reader, DeclarativeSource):
            return await reader.inspect()
        return Inspection(await reader.read())
    finally:
        await reader.close()

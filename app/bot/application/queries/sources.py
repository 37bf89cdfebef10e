"""What users get to see of the data sources: those that their permissions show them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from app.bot.application.queries.overview import SourceReading
from app.bot.application.rendering.readings import ReadingStore
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.errors import UnknownSourceError
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import SOURCE_VIEW, allows, require, scopes_of
from app.bot.domain.readings.reading import Reading, Status
from app.bot.domain.readings.source import DataSource


class Sources:
    """The data sources with their newest readings. Each permission is checked at the moment of the call."""

    def __init__(
        self,
        definitions: DefinitionCache,
        readings: ReadingStore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._definitions = definitions
        self._readings = readings
        self._clock = clock

    def visible_to(self, actor: Actor) -> list[SourceReading]:
        """Every source that the actor may look at."""
        grants = self._definitions.grants
        sources = self._definitions.sources.values()
        return [
            self._read(source)
            for source in sources
            if allows(grants, actor, SOURCE_VIEW, scopes_of("source", source.name))
        ]

    def named(self, actor: Actor, name: str) -> SourceReading:
        """Return a source by its name, or else its title. Raises UnknownSourceError or PermissionRefusedError."""
        known = self._definitions.sources
        source = known.get(name) or next((found for found in known.values() if found.title == name), None)
        if source is None:
            raise UnknownSourceError(f"There is no data source “{name}”. Leave the name out to see them all.")
        require(self._definitions.grants, actor, SOURCE_VIEW, scopes_of("source", source.name), source.name)
        return self._read(source)

    def _read(self, source: DataSource) -> SourceReading:
        try:
            return source, self._readings.latest(source.name)
        except UnknownSourceError:  # nothing has polled since the row came
            return source, Reading(self._clock(), Status.UNKNOWN, "Nothing reads it: is the collector switched off?")

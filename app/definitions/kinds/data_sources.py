"""Data sources: configured things to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.definitions.inputs import Config, Input, KeyName, Name, Title
from app.definitions.integrations import whole_config, whole_schema
from app.definitions.kinds.base import FileSection, register
from app.definitions.kinds.typed import TypedKind
from app.shared.database.models import DataSourceRow, DataSourceTypeRow


class DataSourceInput(Input):
    """A configured thing to read."""

    name: KeyName = Field(description="Unique; components refer to it")
    title: Title = Field("", description="The name that people read")
    type: Name = Field(description="Name of a data source type")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    interval_seconds: float = Field(30, ge=1, le=604_800, description="Seconds between two polls")
    timeout_seconds: float = Field(10, gt=0, le=600, description="Seconds a poll may take")
    enabled: bool = True


class DataSources(TypedKind):
    """Data sources of integrations also say how their server is reached."""

    name = "data-sources"
    singular = "data source"
    row = DataSourceRow
    shape = DataSourceInput
    types = DataSourceTypeRow
    section = FileSection("data_sources", order=5)

    def schema_of(self, row: Any) -> Mapping[str, Any]:
        """Return the schema of a type, of an integration with the connection."""
        return whole_schema(row)

    def filled(self, row: Any, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put in the defaults of an integration's parameters."""
        return whole_config(row, config)


DATA_SOURCES = register(DataSources)

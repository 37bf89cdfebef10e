"""Data source types: those of the program, and those that are described by requests and mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.errors import FieldError
from app.definitions.inputs import Config, Input, KeyName, LongText, Title
from app.definitions.integrations import source_type_errors
from app.definitions.kinds.base import Checking, FileSection, RecordKind, register
from app.definitions.kinds.component_types import stored_types
from app.definitions.kinds.uses import refuse_used
from app.shared.database.models import DataSourceRow, DataSourceTypeRow


class DataSourceTypeInput(Input):
    """A data source type that is described by requests and mappings, without code."""

    name: KeyName = Field(description="Unique, among the types of the program too; data sources refer to it")
    title: Title = Field("", description="The name that people read")
    description: LongText = Field("", description="What it reads, above the form of its parameters")
    config_schema: Config = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description="Its parameters, as a JSON Schema (draft 2020-12) of an object",
    )
    definition: Config = Field(description="Requests, log-in and mappings; ${params.name} puts in a parameter")
    enabled: bool = True


class DataSourceTypes(RecordKind):
    """Integrations are records of people."""

    name = "data-source-types"
    singular = "data source type"
    row = DataSourceTypeRow
    shape = DataSourceTypeInput
    key = "name"
    own = (("kind", "integration"),)
    section = FileSection("data_source_types", order=4)

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Return what would keep the bot from reading."""
        stored = await stored_types(checking.database)
        return source_type_errors(values["config_schema"], values["definition"], checking.component_templates, stored)

    async def require_unused(self, database: AsyncSession, row: Any, what: str) -> None:
        """Refuse where data sources are of the type; the error names them."""
        found = select(DataSourceRow.name).where(DataSourceRow.type == row.name).order_by(DataSourceRow.name)
        refuse_used([f"the data source “{source}”" for source in await database.scalars(found)], what)


DATA_SOURCE_TYPES = register(DataSourceTypes)

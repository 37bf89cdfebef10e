"""Data source types that are rows: described by requests and mappings, without code."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.bot.application.schema_errors import schema_problem
from app.web.records.inputs import Config, Input, KeyName, LongText, Title
from app.web.records.kinds import DATA_SOURCE_TYPES


def _is_schema(schema: dict[str, Any]) -> dict[str, Any]:
    problem = schema_problem(schema)
    if problem is not None:
        raise ValueError(problem)
    return schema


class DataSourceTypeInput(Input):
    """A data source type that is described by requests and mappings."""

    name: KeyName = Field(description="Unique, among the types of the program too; data sources refer to it")
    title: Title = Field("", description="The name that people read")
    description: LongText = Field("", description="What it reads")
    config_schema: Annotated[Config, AfterValidator(_is_schema)] = Field(
        default_factory=dict, description="JSON Schema of the config of its data sources"
    )
    definition: Config = Field(description="Requests and mappings")
    enabled: bool = True


DECLARATIVE_TYPES = replace(DATA_SOURCE_TYPES, shape=DataSourceTypeInput, own=(("kind", "declarative"),))

"""Types that are rows: components composed of others, and sources described by requests and mappings."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from app.bot.application.schema_errors import schema_problem
from app.bot.domain.template_types import TemplateDefinition
from app.web.records.inputs import Config, Input, KeyName, LongText, Title
from app.web.records.kinds import COMPONENT_TYPES, DATA_SOURCE_TYPES


def _is_schema(schema: dict[str, Any]) -> dict[str, Any]:
    problem = schema_problem(schema)
    if problem is not None:
        raise ValueError(problem)
    return schema


def _is_template(definition: dict[str, Any]) -> dict[str, Any]:
    TemplateDefinition.model_validate(definition)
    return definition


Schema = Annotated[Config, AfterValidator(_is_schema)]


class TypeInput(Input):
    """What both kinds of types have."""

    name: KeyName = Field(description="Unique among all types of its kind, those of the program included")
    title: Title = Field("", description="The name that people read")
    description: LongText = Field("", description="What it is for")
    config_schema: Schema = Field(default_factory=dict, description="JSON Schema of the config")
    enabled: bool = True


class ComponentTypeInput(TypeInput):
    """A component type that is composed of other components."""

    kind: Literal["template"] = "template"
    definition: Annotated[Config, AfterValidator(_is_template)] = Field(description="What it consists of")


class DataSourceTypeInput(TypeInput):
    """A data source type that is described by requests and mappings."""

    kind: Literal["declarative"] = "declarative"
    definition: Config = Field(description="Requests and mappings")


TEMPLATE_TYPES = replace(COMPONENT_TYPES, shape=ComponentTypeInput)
DECLARATIVE_TYPES = replace(DATA_SOURCE_TYPES, shape=DataSourceTypeInput)

"""Component types: those of the program, and those that people make of others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field
from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.component_templates import StoredType
from app.definitions.errors import FieldError
from app.definitions.inputs import Config, Input, KeyName, LongText, Title
from app.definitions.kinds.base import Checking, FileSection, RecordKind, register
from app.definitions.kinds.uses import refuse_used
from app.shared.database.models import ComponentTypeRow, DashboardComponentRow, DashboardRow


class ComponentTypeInput(Input):
    """A component type made of other components, without code."""

    name: KeyName = Field(description="Unique; components refer to it")
    title: Title = Field("", description="The name that people read")
    description: LongText = Field("", description="What it shows, above the form of its parameters")
    config_schema: Config = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description="Its parameters, as a JSON Schema (draft 2020-12) of an object",
    )
    definition: Config = Field(
        description="What it consists of: {components: [{type, name, config, visible_when}]}; ${params.name} puts in a "
        "parameter before a config is read, {{ params.name }} when a text is written"
    )
    enabled: bool = True


class ComponentTypes(RecordKind):
    """Types of kind template are records of people; they may consist of others."""

    name = "component-types"
    singular = "component type"
    row = ComponentTypeRow
    shape = ComponentTypeInput
    key = "name"
    own = (("kind", "template"),)
    made_of_its_own = True
    section = FileSection("component_types", order=3)

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Return what would be a problem in a dashboard."""
        stored = await stored_types(checking.database)
        return checking.component_templates.type_errors(
            values["name"], values["config_schema"], values["definition"], stored
        )

    async def require_unused(self, database: AsyncSession, row: Any, what: str) -> None:
        """Refuse where dashboards or types use the type; the error names them."""
        mention = f'%"type": {_like(json.dumps(row.name))}%'
        places = await database.scalars(
            select(DashboardRow.name)
            .join(DashboardRow.components)
            .where(
                (DashboardComponentRow.type == row.name)
                | cast(DashboardComponentRow.config, Text).like(mention, escape="\\")
            )
            .distinct()
            .order_by(DashboardRow.name)
        )
        types = await database.scalars(
            select(ComponentTypeRow.name)
            .where(
                cast(ComponentTypeRow.definition, Text).like(mention, escape="\\"), ComponentTypeRow.name != row.name
            )
            .order_by(ComponentTypeRow.name)
        )
        users = [f"the dashboard “{place}”" for place in places] + [f"the component type “{other}”" for other in types]
        refuse_used(users, what)


async def stored_types(database: AsyncSession) -> list[StoredType]:
    """Return the component templates that are switched on."""
    statement = select(ComponentTypeRow).where(ComponentTypeRow.kind == "template", ComponentTypeRow.enabled)
    rows = await database.scalars(statement)
    return [StoredType(row.name, row.config_schema, row.definition) for row in rows]


def _like(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


COMPONENT_TYPES = register(ComponentTypes)

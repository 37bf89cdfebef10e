"""Components of dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.components.component_templates import with_defaults
from app.bot.domain.components.nesting import nested_in
from app.bot.domain.components.variables import uses_variables
from app.bot.domain.readings.items import value_at
from app.definitions.errors import FieldError
from app.definitions.inputs import MAX_INTEGER, Config, Input, Name, RowId, Title
from app.definitions.kinds.base import Checking, FileSection, register
from app.definitions.kinds.component_types import stored_types
from app.definitions.kinds.typed import TypedKind
from app.shared.database.models import ComponentTypeRow, DashboardComponentRow, DashboardRow


class ComponentInput(Input):
    """One component of a dashboard."""

    dashboard_id: RowId = Field(description="The dashboard it is part of")
    type: Name = Field(description="Name of a component type")
    position: int | None = Field(None, ge=0, le=MAX_INTEGER, description="Order in the dashboard; empty puts it last")
    page: Name | None = Field(None, description="The page it is shown on; empty for every page")
    name: Title = Field("", description="A name for it, shown where it is broken")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class Components(TypedKind):
    """Components stand in a dashboard, in an order."""

    name = "components"
    singular = "component"
    row = DashboardComponentRow
    shape = ComponentInput
    types = ComponentTypeRow
    part_of = "dashboards"
    listed_by = ("dashboard_id", "position", "id")
    takes_variables = True
    section = FileSection(
        "components", identity=(), left_out=frozenset({"dashboard_id", "position"}), in_subject=("type", "name")
    )

    def filled(self, row: Any, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put in the defaults of a component template's parameters."""
        return with_defaults(row.config_schema, config) if row.kind == "template" else config

    def is_known_later(self, error: FieldError, config: Mapping[str, Any]) -> bool:
        """Return True for a placeholder of a variable, whose value is known when the dashboard is built."""
        found = value_at(config, error.field.removeprefix("config."))
        return isinstance(found, str) and uses_variables({"value": found})

    async def nested_errors(
        self, checking: Checking, type_name: str, model: type[BaseModel], config: Mapping[str, Any]
    ) -> list[FieldError]:
        """Return what is wrong with components within this one."""
        if next(nested_in(model, config), None) is None:
            return []
        return checking.component_templates.nested_errors(type_name, config, await stored_types(checking.database))

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Refuse dashboards that are not there."""
        if await checking.database.get(DashboardRow, values["dashboard_id"]) is None:
            return [FieldError("dashboard_id", "there is no such dashboard")]
        return []

    async def complete(self, database: AsyncSession, values: dict[str, Any], existing: Any) -> None:
        """Put a new component last, and leave others where they are."""
        if values["position"] is None:
            new = existing is None
            values["position"] = await _next_position(database, values["dashboard_id"]) if new else existing.position

    def subject(self, values: Mapping[str, Any]) -> str:
        """Return the type, and the name where there is one."""
        name = values.get("name")
        return f"{values.get('type') or 'component'}{f' “{name}”' if name else ''}"


async def _next_position(database: AsyncSession, dashboard_id: int) -> int:
    last = await database.scalar(
        select(func.max(DashboardComponentRow.position)).where(DashboardComponentRow.dashboard_id == dashboard_id)
    )
    return 0 if last is None else min(last + 1, MAX_INTEGER)


COMPONENTS = register(Components)

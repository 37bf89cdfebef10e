"""The types that are Python files, described in the tables of types: what the web admin and the schema know of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.shared.database import models

_TABLES: Mapping[str, type[models.Base]] = {
    row.__tablename__: row
    for row in (
        models.ComponentTypeRow,
        models.DataSourceTypeRow,
        models.ServiceTypeRow,
        models.ActionTypeRow,
        models.CommandTypeRow,
    )
}
_CONTENT = ("title", "description", "config_schema")


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """A builtin type as the admin knows it: the row of one of the type tables."""

    table: str
    name: str
    title: str
    description: str
    config_schema: Mapping[str, Any]


def describe(table: str, models: Iterable[tuple[str, type[BaseModel]]]) -> list[TypeDescription]:
    """Describe the types of one registry by their config models: the class's title and docstring, and JSON Schema."""
    if table not in _TABLES:
        raise ValueError(f"{table} is no table of types")
    return [
        TypeDescription(
            table,
            name,
            model.model_config.get("title") or name,
            _first_paragraph(model),
            ordered(model.model_json_schema()),
        )
        for name, model in models
    ]


def ordered(schema: Any) -> Any:
    """Return a JSON Schema whose properties say their order, for forms: JSONB keeps none."""
    if isinstance(schema, list):
        return [ordered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: ordered(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {
            name: {**part, "propertyOrder": position} if isinstance(part, dict) else part
            for position, (name, part) in enumerate(made["properties"].items())
        }
    return made


async def describe_types(database: AsyncSession, types: Sequence[TypeDescription]) -> None:
    """Bring the descriptions of builtin types up to date; the caller commits.

    Rows that say this already are not touched: each touch is a change that every reader is told of.
    """
    for table, row in _TABLES.items():
        described = [
            {"name": one.name, **{column: getattr(one, column) for column in _CONTENT}}
            for one in types
            if one.table == table
        ]
        if described:
            await _describe(database, row, described)


async def _describe(database: AsyncSession, row: type[models.Base], described: Sequence[Mapping[str, Any]]) -> None:
    columns = row.__table__.c
    if "kind" in columns:  # a new builtin type takes the name of one that people made
        names = [one["name"] for one in described]
        await database.execute(
            update(row).where(columns.name.in_(names), columns.kind != "builtin").values(kind="builtin")
        )
    statement = insert(row).values(described)
    await database.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={column: statement.excluded[column] for column in _CONTENT},
            where=or_(*(columns[column].is_distinct_from(statement.excluded[column]) for column in _CONTENT)),
        )
    )


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())

"""Records as the REST API returns them: JSON values, ids of Discord as text, never a secret."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.definitions.audit import masked
from app.definitions.inputs import SnowflakeId
from app.definitions.kinds.base import RecordKind
from app.definitions.roles import Role

_JSON = frozenset({"config", "value"})


class Output(BaseModel):
    """Base of everything that is returned."""

    model_config = ConfigDict(from_attributes=True)


@cache
def output_model(kind: RecordKind) -> type[BaseModel]:
    """Return the model of a returned record: every column that may be shown, by the kind's own types."""
    fields: dict[str, Any] = {}
    for name, column in kind.row.__mapper__.columns.items():
        if name in kind.hidden:
            continue
        annotation = _entered_type(kind, name) or _column_type(name, column)
        fields[name] = (annotation | None if column.nullable else annotation, ...)
    model: type[BaseModel] = create_model(_model_name(kind), __base__=Output, __doc__=f"A {kind.singular}.", **fields)
    return model


def dump(kind: RecordKind, row: Any, role: Role) -> dict[str, Any]:
    """Return a row as JSON values. What a row holds is not checked again: whatever is stored can be read.

    In configs and settings, who may not change anything does not see what could be a secret.
    """
    model = output_model(kind)
    values = {name: getattr(row, name) for name in model.model_fields}
    if not role.includes(Role.EDITOR):
        values = {name: masked(value) if name in _JSON else value for name, value in values.items()}
    return model.model_construct(**values).model_dump(mode="json", warnings=False)


@cache
def patch_model(kind: RecordKind) -> type[BaseModel]:
    """Return the kind's shape with every field optional: only what is sent is changed."""
    fields: dict[str, Any] = {}
    for name, field in kind.form.model_fields.items():
        fields[name] = (field.annotation, Field(default=None, description=field.description))
    model: type[BaseModel] = create_model(
        f"{_model_name(kind)}Changes", __config__=ConfigDict(extra="forbid"), **fields
    )
    return model


def etag(row: Any) -> str:
    """Return a mark that changes with the record: the dashboard's version, or the time of the last change."""
    version = getattr(row, "version", None)
    if version is not None:
        return f'"v{version}"'
    changed: datetime | None = getattr(row, "updated_at", None)
    return f'"{int(changed.timestamp() * 1_000_000)}"' if changed is not None else ""


def _model_name(kind: RecordKind) -> str:
    return "".join(word.capitalize() for word in kind.singular.split())


def _entered_type(kind: RecordKind, name: str) -> Any:
    if name.endswith("_id") and name not in ("dashboard_id", "actor_id"):
        return SnowflakeId
    if name == "id" and kind.guild == "id":
        return SnowflakeId
    return None


def _column_type(name: str, column: Any) -> Any:
    if name in ("value", "definition"):
        return Any
    if name in ("config", "config_schema", "layout", "detail"):
        return dict[str, Any]
    return column.type.python_type

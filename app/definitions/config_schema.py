"""Configs against the JSON Schema of their type, as errors of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.definitions.errors import FieldError
from app.shared.kit.json_schema import schema_errors, schema_problem


def config_errors(schema: Mapping[str, Any], config: Any, prefix: str = "config") -> list[FieldError]:
    """Every field of `config` that does not fit, by its path below `prefix`. The rejected value is never quoted."""
    problem = schema_problem(schema)
    if problem is not None:
        return [FieldError("type", f"the schema of this type {problem}")]
    return [FieldError(place, message) for place, message in schema_errors(schema, config, prefix)]

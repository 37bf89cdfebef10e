"""Mapping database records to frozen models without knowing the whole schema.

The bot reads `SELECT *`. A column that a model has no field for is kept in `attributes`, where templates can use it
at once; a column that is gone falls back to the field's default. So the schema may grow under a running bot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from app.bot.domain.errors import MissingColumnError

Model = TypeVar("Model")


class Record(Protocol):
    """A row of the database: a driver's record, or a dict."""

    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: object, /) -> bool: ...
    def items(self) -> Iterable[tuple[str, Any]]: ...  # noqa: D102


def from_record(model: type[Model], record: Record, **extra: Any) -> Model:
    """Make the frozen dataclass `model` from a database record.

    `extra` gives fields that are no columns (children of an aggregate). A column whose value is NULL falls back to the
    default of a field that has one. Raises MissingColumnError when a field without a default has no column.
    """
    fields = {field.name: field for field in dataclasses.fields(model)}  # type: ignore[arg-type]  # a dataclass by contract
    values: dict[str, Any] = dict(extra)
    for name, field in fields.items():
        if name in values or name == "attributes":
            continue
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if name in record and not (record[name] is None and optional):
            values[name] = record[name]
        elif not optional:
            raise MissingColumnError(f"{model.__name__} needs the column “{name}”, which the record does not have")
    if "attributes" in fields:
        values["attributes"] = {key: value for key, value in record.items() if key not in fields}
    return model(**values)

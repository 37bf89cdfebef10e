"""Records with a type and a config: the config is checked by the type's model, or else by its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import select

from app.bot.domain.components.component import describe_validation_error
from app.definitions.config_schema import config_errors
from app.definitions.errors import FieldError, known_names
from app.definitions.kinds.base import Checking, RecordKind
from app.shared.database.models import Base


class TypedKind(RecordKind):
    """Base of the kinds whose records have a type: a row of `types` that describes their config."""

    types: ClassVar[type[Base]]

    async def config_errors(self, checking: Checking, values: Mapping[str, Any]) -> list[FieldError]:
        """Return what is wrong with the config, by the type's model where there is one."""
        name, config = values.get("type"), values.get("config", {})
        if not isinstance(name, str) or not isinstance(config, Mapping):
            return []  # without a type there is nothing to say, and what is no config has been said
        row: Any = await checking.database.get(self.types, name)
        if row is None or not getattr(row, "enabled", True):
            known = await checking.database.scalars(select(self.types.__mapper__.columns["name"]).order_by("name"))
            return [FieldError("type", f"there is no type “{name[:100]}”; {known_names(name, known)}")]
        errors = config_errors(self.schema_of(row), self.filled(row, config))
        errors = [error for error in errors if not self.is_known_later(error, config)]
        errors += self.placeholder_errors(config)
        model = checking.models.get(name)
        if model is None or errors:
            return errors
        errors = [error for error in model_errors(model, config, "config") if not self.is_known_later(error, config)]
        return errors or await self.nested_errors(checking, name, model, config)

    def schema_of(self, row: Any) -> Mapping[str, Any]:
        """Return the JSON Schema of the configs of a type."""
        schema: Mapping[str, Any] = row.config_schema
        return schema

    def filled(self, row: Any, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a config with the defaults of the type's schema, where the type goes by those."""
        return config

    def is_known_later(self, error: FieldError, config: Mapping[str, Any]) -> bool:
        """Return True where what is wrong is a placeholder whose value is known only when the record is used."""
        return False

    def placeholder_errors(self, config: Mapping[str, Any]) -> list[FieldError]:
        """Return what is wrong with the placeholders of a config."""
        return []

    async def nested_errors(
        self, checking: Checking, type_name: str, model: type[BaseModel], config: Mapping[str, Any]
    ) -> list[FieldError]:
        """Return what is wrong with records that a config holds."""
        return []


def model_errors(model: type[BaseModel], config: Mapping[str, Any], prefix: str) -> list[FieldError]:
    """Return every field of `config` that does not fit the model, by its path below `prefix`."""
    try:
        model.model_validate(dict(config))
    except ValidationError as error:
        return [
            FieldError(
                ".".join([prefix, *(str(part) for part in problem["loc"])]),
                describe_validation_error(problem).partition(": ")[2],
            )
            for problem in error.errors(include_url=False, include_input=False)
        ]
    return []

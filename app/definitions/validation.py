"""Checks a record before it is saved: its shape, its config against its type, and what it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.components.component import describe_validation_error
from app.definitions.component_templates import ComponentTemplateChecks
from app.definitions.errors import FieldError, InvalidRecordError
from app.definitions.kinds.base import Checking, RecordKind
from app.definitions.kinds.components import COMPONENTS
from app.shared.kit.text import is_postgres_safe

ConfigModels = Mapping[str, Mapping[str, type[BaseModel]]]
"""Config models by kind and type: what they check between fields, a JSON Schema cannot say."""
_MAX_DEPTH = 30
_MAX_CHARACTERS = 200_000
_LARGEST = 1e300


class Validation:
    """Checks values against everything that is known about a kind. `models` may lack kinds and types."""

    def __init__(self, models: ConfigModels) -> None:
        self._models = models
        self._component_templates = ComponentTemplateChecks(models.get(COMPONENTS.name, {}))

    async def check(
        self, database: AsyncSession, kind: RecordKind, values: Mapping[str, Any], existing: Any = None
    ) -> dict[str, Any]:
        """Return the values as the kind's shape has them. Raises InvalidRecordError with every wrong field."""
        unstorable = [error for name, value in values.items() for error in _unstorable(value, name)]
        if unstorable:
            raise InvalidRecordError(unstorable)
        checking = Checking(database, self._models.get(kind.name, {}), self._component_templates)
        try:
            parsed = kind.form.model_validate(dict(values))
        except ValidationError as error:
            raise InvalidRecordError([*shape_errors(error), *await kind.config_errors(checking, values)]) from None
        checked = {name: getattr(parsed, name) for name in kind.fields}
        errors = [*await kind.config_errors(checking, checked), *await kind.errors(checking, checked, existing)]
        if errors:
            raise InvalidRecordError(errors)
        return checked


def shape_errors(error: ValidationError) -> list[FieldError]:
    """Return a pydantic error as field errors; an error of the whole names its field in its first word."""
    found = []
    for problem in error.errors(include_url=False, include_input=False):
        place, _, message = describe_validation_error(problem).partition(": ")
        if not problem["loc"]:
            place, _, message = message.partition(" ")
        found.append(FieldError(place, message))
    return found


def _unstorable(value: Any, place: str, depth: int = 0) -> Iterator[FieldError]:
    """Yield what PostgreSQL cannot keep as it is: NUL, lone surrogates, numbers and structures without a bound."""
    if depth > _MAX_DEPTH:
        yield FieldError(place, f"is nested deeper than {_MAX_DEPTH} levels")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unstorable_text(str(key), place)
            yield from _unstorable(item, f"{place}.{key}", depth + 1)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _unstorable(item, f"{place}.{index}", depth + 1)
    elif isinstance(value, str):
        yield from _unstorable_text(value, place)
    elif isinstance(value, (int, float)) and not -_LARGEST < value < _LARGEST:
        yield FieldError(place, "is no finite number of a sensible size")


def _unstorable_text(text: str, place: str) -> Iterator[FieldError]:
    if not is_postgres_safe(text):
        yield FieldError(place, "holds a character that is no text (NUL or half of a pair)")
    elif len(text) > _MAX_CHARACTERS:
        yield FieldError(place, "is too long")

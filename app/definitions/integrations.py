"""Integrations before they are saved: whatever would keep the bot from reading is named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from app.bot.domain.components.component import describe_validation_error
from app.bot.domain.components.component_templates import with_defaults
from app.bot.domain.components.placeholders import placeholders_in
from app.bot.domain.integrations.definition import CONNECTION, SourceDefinition, config_schema_of
from app.bot.domain.integrations.languages import Languages
from app.definitions.component_templates import ComponentTemplateChecks, StoredType, parameter_schema_errors
from app.definitions.errors import FieldError
from app.shared.database.models import DataSourceTypeRow
from app.shared.expressions import CelExpressions
from app.shared.group_patterns import check_group_pattern
from app.shared.jmespaths import check_path

_LANGUAGES = Languages(check_path, CelExpressions().check, check_group_pattern)
_KNOWN = ("params", "answers", "item", "token")


def source_type_errors(
    config_schema: Mapping[str, Any], definition: Any, components: ComponentTemplateChecks, stored: Iterable[StoredType]
) -> list[FieldError]:
    """Return what is wrong with an integration; `stored` are the component templates that it may use."""
    errors = list(parameter_schema_errors(config_schema))
    properties = config_schema.get("properties")
    if isinstance(properties, Mapping) and CONNECTION in properties:
        where = f"config_schema.properties.{CONNECTION}"
        errors.append(FieldError(where, "is the name of a setting that every source has; choose another"))
    try:
        SourceDefinition.model_validate(definition, context=_LANGUAGES.context())
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            place = ".".join(["definition", *(str(part) for part in problem["loc"])])
            errors.append(FieldError(place, describe_validation_error(problem).partition(": ")[2]))
        return errors
    errors += _placeholder_errors(definition, frozenset(properties or ()))
    errors += components.ready_errors(definition.get("components", []), "definition.components", stored)
    return errors


def whole_schema(row: Any) -> Mapping[str, Any]:
    """Return the schema of the configs of a type: of an integration also how its server is reached."""
    schema: Mapping[str, Any] = row.config_schema
    return config_schema_of(schema) if _is_integration(row) else schema


def whole_config(row: Any, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a config with the defaults of the type's schema for what it leaves out, where the type goes by those."""
    return with_defaults(row.config_schema, config) if _is_integration(row) else config


def _is_integration(row: Any) -> bool:
    return isinstance(row, DataSourceTypeRow) and row.kind == "integration"


def _placeholder_errors(definition: Mapping[str, Any], parameters: frozenset[str]) -> Iterator[FieldError]:
    for name, part in definition.items():
        for path in placeholders_in(part) if name != "components" else ():
            first, _, rest = path.partition(".")
            if first not in _KNOWN:
                message = f"${{{path}}}: “{first}” is not known here; known: {', '.join(_KNOWN)}"
                yield FieldError(f"definition.{name}", message)
            elif first == "params" and rest.partition(".")[0] not in parameters:
                yield FieldError(f"definition.{name}", f"${{{path}}}: there is no parameter “{rest.partition('.')[0]}”")

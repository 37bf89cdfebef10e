"""Component templates before they are saved: whatever would be a problem in a dashboard is named by its place here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from app.bot.domain.components.component import describe_validation_error
from app.bot.domain.components.component_templates import TemplateDefinition, find_cycle, with_defaults
from app.bot.domain.components.fields import ConditionMark, TemplateMark, marked_fields
from app.bot.domain.components.nesting import nested_in
from app.bot.domain.components.placeholders import placeholders_in
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.readings.items import value_at
from app.definitions.errors import FieldError, known_names
from app.shared.expressions import CelExpressions, ExpressionError
from app.shared.kit.json_schema import schema_errors, schema_problem
from app.shared.template_budget import TemplateError
from app.shared.templating import SandboxedTemplates

_MAX_DEPTH = 30
_KEPT = ("missing", "extra_forbidden")
"""Errors that no value of a placeholder could make good."""


@dataclass(frozen=True, slots=True)
class StoredType:
    """A component template as it is stored."""

    name: str
    config_schema: Mapping[str, Any]
    definition: Any


@dataclass(frozen=True, slots=True)
class _Scope:
    """What placeholders can name at a place: names of values, and of parameters (None: any)."""

    names: frozenset[str]
    parameters: frozenset[str] | None = frozenset()


class ComponentTemplateChecks:
    """Checks definitions of component templates, and components nested in others."""

    def __init__(self, builtin: Mapping[str, type[BaseModel]]) -> None:
        self._builtin = builtin
        self._expressions = CelExpressions()
        self._templates = SandboxedTemplates(FILTERS, finalize)

    def type_errors(
        self, name: str, config_schema: Mapping[str, Any], definition: Any, stored: Iterable[StoredType]
    ) -> list[FieldError]:
        """Return what is wrong with a component template; `stored` are those that are switched on, itself or not."""
        errors = []
        if name in self._builtin:
            errors.append(FieldError("name", "is the name of a type that comes with the program; choose another"))
        errors += parameter_schema_errors(config_schema)
        if errors:
            return errors
        errors = _shape_errors(definition)
        if errors:
            return errors
        types = {known.name: known for known in stored if known.name != name and known.name not in self._builtin}
        types[name] = StoredType(name, config_schema, definition)
        scope = _Scope(frozenset({"params", "dashboard", "variables"}), _parameters(config_schema))
        errors = list(self._body(definition["components"], "definition.components", scope, types, 0))
        cycle = find_cycle(name, {known.name: self._used(known.definition) for known in types.values()})
        if cycle is not None:
            errors.append(FieldError("definition", f"the type would contain itself: {' → '.join(cycle)}"))
        return errors

    def nested_errors(
        self, type_name: str, config: Mapping[str, Any], stored: Iterable[StoredType]
    ) -> list[FieldError]:
        """Return what is wrong with the components nested in one of a builtin type."""
        model = self._builtin.get(type_name)
        if model is None:
            return []
        types = {known.name: known for known in stored if known.name not in self._builtin}
        scope = _with_item(_Scope(frozenset({"dashboard", "variables"})), type_name, config)
        return [
            error
            for place, child in nested_in(model, config)
            for error in self._component(child, f"config.{place}", scope, types, 0)
        ]

    def ready_errors(self, body: Iterable[Any], place: str, stored: Iterable[StoredType]) -> list[FieldError]:
        """Return what is wrong with the components that come with a data source type."""
        types = {known.name: known for known in stored if known.name not in self._builtin}
        scope = _Scope(frozenset({"source", "title", "dashboard", "variables"}))
        return list(self._body(body, place, scope, types, 0))

    def uses(self, definition: Any, name: str) -> bool:
        """Whether a definition, or the config of a component, has a component of this type in it."""
        return name in self._used(definition)

    def _used(self, definition: Any) -> frozenset[str]:
        body = definition.get("components") if isinstance(definition, Mapping) else None
        return frozenset(self._types_in(body)) if isinstance(body, list) else frozenset()

    def _types_in(self, body: Iterable[Any], depth: int = 0) -> Iterator[str]:
        for child in body if depth < _MAX_DEPTH else ():
            if isinstance(child, Mapping) and isinstance(child.get("type"), str):
                yield child["type"]
                model, config = self._builtin.get(child["type"]), child.get("config")
                if model is not None and isinstance(config, Mapping):
                    yield from self._types_in([inner for _, inner in nested_in(model, config)], depth + 1)

    def _body(
        self, body: Iterable[Any], place: str, scope: _Scope, types: Mapping[str, StoredType], depth: int
    ) -> Iterator[FieldError]:
        for position, child in enumerate(body):
            yield from self._component(child, f"{place}.{position}", scope, types, depth)

    def _component(
        self, child: Any, place: str, scope: _Scope, types: Mapping[str, StoredType], depth: int
    ) -> Iterator[FieldError]:
        if depth > _MAX_DEPTH or not isinstance(child, Mapping):
            return  # its shape was refused already
        name, config = str(child.get("type", "")), child.get("config", {})
        if child.get("visible_when"):
            yield from self._condition(child["visible_when"], f"{place}.visible_when")
        if not isinstance(config, Mapping):
            return
        yield from _unknown_names(config, f"{place}.config", scope)
        model = self._builtin.get(name)
        if model is not None:
            yield from self._builtin_config(model, config, f"{place}.config")
            inner = _with_item(scope, name, config)
            for where, nested in nested_in(model, config):
                yield from self._component(nested, f"{place}.config.{where}", inner, types, depth + 1)
        elif name in types:
            yield from _template_config(types[name].config_schema, config, f"{place}.config")
        else:
            known = known_names(name, {*self._builtin, *types})
            yield FieldError(f"{place}.type", f"there is no type “{name[:100]}”; {known}")

    def _builtin_config(self, model: type[BaseModel], config: Mapping[str, Any], place: str) -> Iterator[FieldError]:
        try:
            model.model_validate(dict(config))
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                if problem["type"] in _KEPT or not _has_placeholder(_deepest(config, problem["loc"])):
                    message = describe_validation_error(problem).partition(": ")[2]
                    yield FieldError(".".join([place, *map(str, problem["loc"])]), message)
        for where, text in _texts(config, place, marked_fields(model, TemplateMark)):
            yield from self._template(text, where)
        for where, text in _texts(config, place, marked_fields(model, ConditionMark)):
            yield from self._condition(text, where)

    def _condition(self, expression: Any, place: str) -> Iterator[FieldError]:
        if not isinstance(expression, str) or not expression or next(placeholders_in(expression), None):
            return
        try:
            self._expressions.check(expression)
        except ExpressionError as error:
            yield FieldError(place, f"is no condition in CEL: {error}")

    def _template(self, text: str, place: str) -> Iterator[FieldError]:
        try:
            self._templates.check(text)
        except TemplateError as error:
            yield FieldError(place, f"is no Jinja2 template: {error}")


def parameter_schema_errors(schema: Mapping[str, Any]) -> list[FieldError]:
    """Return what is wrong with the schema of a type's parameters."""
    problem = schema_problem(schema)
    if problem is not None:
        return [FieldError("config_schema", problem)]
    if schema.get("type", "object") != "object":
        return [FieldError("config_schema.type", "must be object: each parameter is one of its properties")]
    errors = list(_reference_errors(schema, "config_schema"))
    if errors:
        return errors
    properties = schema.get("properties", {})
    defaults = {
        name: part["default"] for name, part in properties.items() if isinstance(part, Mapping) and "default" in part
    }
    wrong = schema_errors({**schema, "required": []}, defaults, "config_schema.properties")
    return [FieldError(f"{place}.default" if place.count(".") == 2 else place, message) for place, message in wrong]


def _reference_errors(schema: Any, place: str) -> Iterator[FieldError]:
    """Yield what the standard allows and no parameter can have: schemas from elsewhere."""
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#/$defs/"):
            yield FieldError(f"{place}.$ref", "must name a part of this schema, such as #/$defs/port")
        for name, part in schema.items():
            if name not in ("default", "const", "enum", "examples"):
                yield from _reference_errors(part, f"{place}.{name}")
    elif isinstance(schema, list):
        for position, part in enumerate(schema):
            yield from _reference_errors(part, f"{place}.{position}")


def _shape_errors(definition: Any) -> list[FieldError]:
    try:
        TemplateDefinition.model_validate(definition)
    except ValidationError as error:
        return [
            FieldError(
                ".".join(["definition", *map(str, problem["loc"])]),
                describe_validation_error(problem).partition(": ")[2],
            )
            for problem in error.errors(include_url=False, include_input=False)
        ]
    return []


def _parameters(schema: Mapping[str, Any]) -> frozenset[str] | None:
    if schema.get("additionalProperties") or schema.get("patternProperties"):
        return None
    return frozenset(schema.get("properties", {}))


def _with_item(scope: _Scope, type_name: str, config: Mapping[str, Any]) -> _Scope:
    """Return what components within a repetition know too."""
    if type_name != "repeat":
        return scope
    return replace(scope, names=scope.names | {str(config.get("as", "item"))})


def _unknown_names(config: Mapping[str, Any], place: str, scope: _Scope) -> Iterator[FieldError]:
    for path in dict.fromkeys(placeholders_in(config)):
        root, _, rest = path.partition(".")
        name = rest.partition(".")[0]
        if root not in scope.names:
            known = ", ".join(f"${{{known}}}" for known in sorted(scope.names))
            yield FieldError(place, f"${{{path}}}: “{root}” is not known here. Known: {known}")
        elif root == "params" and scope.parameters is not None and name not in scope.parameters:
            known = ", ".join(sorted(scope.parameters)) or "none"
            yield FieldError(place, f"${{{path}}}: there is no parameter “{name}”. Parameters: {known}")


def _template_config(schema: Mapping[str, Any], config: Mapping[str, Any], place: str) -> Iterator[FieldError]:
    if schema_problem(schema) is not None:
        return  # wrong in the row of that type, not here
    for path, message in schema_errors(schema, with_defaults(schema, config)):
        if message.startswith("no such setting") or not _has_placeholder(value_at(config, path)):
            yield FieldError(f"{place}.{path}" if path else place, message)


def _deepest(value: Any, path: Iterable[Any]) -> Any:
    """Return the value at a path, or where the path ends."""
    for part in path:
        if (isinstance(value, Mapping) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        ):
            value = value[part]
    return value


def _has_placeholder(value: Any) -> bool:
    return next(placeholders_in(value), None) is not None


def _texts(value: Any, place: str, names: frozenset[str], *, wanted: bool = False) -> Iterator[tuple[str, str]]:
    """Every text below fields of these names, nested components aside, with its place."""
    if isinstance(value, str) and wanted:
        yield place, value
    elif isinstance(value, Mapping) and "type" not in value:
        for name, item in value.items():
            yield from _texts(item, f"{place}.{name}", names, wanted=wanted or name in names)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, f"{place}.{position}", names, wanted=wanted)

"""Values against a JSON Schema (draft 2020-12): errors that name the field and say what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

_TYPE_NAMES = {
    "object": "a group of settings (an object)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
_MAX_ERRORS = 20


def schema_problem(schema: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a schema itself; None when it is one.

    Equal schemas are looked at once: it takes a while.
    """
    try:
        text = json.dumps(schema, sort_keys=True)
    except (RecursionError, TypeError, ValueError):
        return _problem(schema)
    return _remembered_problem(text)


@lru_cache(maxsize=512)
def _remembered_problem(text: str) -> str | None:
    return _problem(json.loads(text))


def _problem(schema: Mapping[str, Any]) -> str | None:
    try:
        Draft202012Validator.check_schema(schema)
    except RecursionError:
        return "is no JSON Schema: it is nested too deep"
    except SchemaError as error:
        place = ".".join(str(part) for part in error.absolute_path)
        return f"is no JSON Schema{f' at {place}' if place else ''}: {error.message[:200]}"
    return None


def schema_errors(schema: Mapping[str, Any], value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Every field of `value` that does not fit, by its path below `prefix`, and what is wrong with it.

    The schema must be one (see `schema_problem`). The rejected value is never quoted: it may be a secret.
    """
    errors: dict[str, str] = {}
    try:
        for found in validator(schema).iter_errors(value):
            for leaf in _leaves(found):
                for place, message in _explained(leaf, prefix):
                    errors.setdefault(place, message)
    except (Unresolvable, RecursionError):
        return [(prefix, "the schema of this type refers to what it does not have, or to itself without end")]
    return list(errors.items())[:_MAX_ERRORS]


def validator(schema: Mapping[str, Any]) -> Validator:
    """Return a validator for a schema. What the schema refers to is never fetched from anywhere."""
    return Draft202012Validator(schema, registry=Registry())


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Of the branches of anyOf and oneOf, the errors of the one that was meant: right kind of value, fewest errors."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [errors for errors in branches.values() if not any(_other_branch(inner) for inner in errors)]
    if not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _leaves(inner)


def _other_branch(error: ValidationError) -> bool:
    """Whether this error says that its branch is for another kind of value."""
    return error.validator == "const" or (error.validator == "type" and not error.relative_path)


def _explained(error: ValidationError, prefix: str) -> Iterable[tuple[str, str]]:
    place = _path(prefix, *error.absolute_path)
    if error.validator == "required" and isinstance(error.instance, Mapping):
        required: Any = error.validator_value
        for name in required:
            if name not in error.instance:
                yield _path(place, name), "is missing"
        return
    if error.validator in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, Mapping):
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        hint = f"; known settings: {', '.join(sorted(known))}" if known else ""
        for name in error.instance:
            if name not in known:
                yield _path(place, name), f"no such setting{hint}"
        return
    yield place, _message(error)


def _path(*parts: object) -> str:
    return ".".join(str(part) for part in parts if part != "")


_PHRASES = {
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "needs at least {} entries",
    "maxItems": "takes at most {} entries",
    "maxProperties": "takes at most {} settings",
    "pattern": "must match the pattern {}",
    "format": "must be a valid {}",
    "uniqueItems": "has an entry twice",
}


def _message(error: ValidationError) -> str:
    """Return what is wrong, from the schema alone."""
    limit: Any = error.validator_value
    match error.validator:
        case "type":
            names = limit if isinstance(limit, list) else [limit]
            return "must be " + " or ".join(_TYPE_NAMES.get(str(name), str(name)) for name in names)
        case "anyOf" | "oneOf":
            types = [str(option["type"]) for option in limit if isinstance(option, Mapping) and "type" in option]
            kinds = dict.fromkeys(_TYPE_NAMES.get(name, name) for name in types)
            return "must be " + " or ".join(kinds) if kinds else "fits none of the allowed forms"
        case "enum":
            return "must be one of: " + ", ".join(str(value) for value in limit)
        case "minLength" | "minItems" if limit == 1:
            return "must not be empty"
        case keyword:
            return _PHRASES.get(str(keyword), f"does not satisfy “{keyword}” of the type's schema").format(limit)

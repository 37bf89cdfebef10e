"""JSON Schema made fit for the form editor: references resolved, optional values without a choice of types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 12
_HINTED = ("source", "metric", "action", "page")
"""Fields whose values are names of something that is there; the page has a list of them to choose from."""
_LONG_TEXT = 500


def form_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema for the form editor. It may accept less than the real one, which has the last word."""
    made = _part(schema, schema.get("$defs", {}), 0)
    made.pop("title", None)
    made.pop("description", None)
    return made


def _part(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        return {}
    part = _resolved(schema, definitions)
    if "const" in part:
        part["enum"] = [part.pop("const")]
    for keyword in ("anyOf", "oneOf"):
        if keyword in part:
            part.pop("discriminator", None)
            part = _alternatives(part, keyword, definitions, depth)
    if isinstance(part.get("properties"), Mapping):
        required = part.get("required", ())
        part["properties"] = {
            name: _property(name, value, definitions, depth) for name, value in part["properties"].items()
        }
        for name, value in part["properties"].items():
            value.setdefault("propertyOrder", _rank(value, name in required))
        part.setdefault("additionalProperties", False)
    for keyword in ("items", "additionalProperties"):
        if isinstance(part.get(keyword), Mapping):
            part[keyword] = _part(part[keyword], definitions, depth + 1)
    if isinstance(part.get("pattern"), str):
        part["pattern"] = _whole(part["pattern"])
    part.pop("$defs", None)
    if part.get("default", 0) is None:
        del part["default"]
    return part


def _whole(pattern: str) -> str:
    """Make a pattern match the whole text: a schema's may match within it, a browser's field asks for all of it."""
    if pattern.startswith("^") and pattern.endswith("$"):
        return pattern
    return rf"^[\s\S]*(?:{pattern})[\s\S]*$"


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    part = dict(schema)
    for _ in range(_MAX_DEPTH):
        reference = part.pop("$ref", None)
        if not isinstance(reference, str):
            break
        target = definitions.get(reference.removeprefix("#/$defs/"), {})
        # Names and docstrings of classes are for programmers; a setting has its own.
        part = {**{key: value for key, value in target.items() if key not in ("title", "description")}, **part}
    return part


def _alternatives(part: dict[str, Any], keyword: str, definitions: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """One alternative beside null is an optional value: an editor that may stay empty serves it better."""
    options = [_part(option, definitions, depth + 1) for option in part[keyword]]
    kept = [option for option in options if option.get("type") != "null"]
    if len(kept) == 1:
        rest = {key: value for key, value in part.items() if key != keyword}
        return {**kept[0], **rest}
    return {**part, keyword: kept}


def _property(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> dict[str, Any]:
    part = _part(schema, definitions, depth + 1)
    if part.get("type") == "string" and "enum" not in part:
        if name in _HINTED:
            part["options"] = {"inputAttributes": {"list": f"known-{name}", "autocomplete": "off"}}
        elif part.get("maxLength", 0) > _LONG_TEXT:
            part["format"] = "textarea"
    part.setdefault("title", name.replace("_", " ").capitalize())
    if isinstance(part.get("items"), dict):
        part["items"].setdefault("title", _singular(name))
    if part.get("type") == "boolean":
        part["format"] = "checkbox"
    wide = part.get("type") in ("array", "object", None) or part.get("format") == "textarea"
    part["options"] = {**part.get("options", {}), "grid_columns": 12 if wide else 6}
    if part.get("type") == "object" and not part.get("properties"):
        part["options"]["disable_properties"] = False  # names are the user's: let them be added
    return part


def _singular(name: str) -> str:
    word = name.replace("_", " ")
    if word.endswith("series"):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")


def _rank(part: Mapping[str, Any], required: bool) -> int:
    """Return what must be set comes first, then short values, switches, and what is large.

    Builtin types come with the order of their fields (`ordered`); of others JSONB keeps none.
    """
    if required:
        return 0
    return {"boolean": 2, "array": 3, "object": 4}.get(str(part.get("type")), 1)

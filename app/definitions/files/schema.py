"""The JSON Schema (draft 2020-12) of files of definitions, for editors: fields of entries, configs of types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.bot.domain.integrations.definition import config_schema_of
from app.definitions.files.documents import GUILD, INCLUDE
from app.definitions.files.environment import REFERENCE_PATTERN
from app.definitions.files.sections import NEEDED_SECRETS, SECTIONS, Section
from app.shared.database.core.connection import connect
from app.shared.database.core.errors import DatabaseRefusedError

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAMES = {"type": "array", "items": {"type": "string"}}
_ID = {"type": ["string", "integer"]}
_PLACEHOLDER = {"type": "string", "pattern": r"\$\{[A-Za-z_][\w.-]*\}"}
_OWN = {"component_types": "template", "data_source_types": "integration"}
"""Tables whose rows may be types that people made, and the kind of those."""
_LITERAL = ("integer", "number", "boolean")


@dataclass(frozen=True, slots=True)
class KnownType:
    """A type that records can have. `table` is where types of its kind are, such as component_types."""

    table: str
    name: str
    description: str
    config_schema: Mapping[str, Any]


def file_schema(types: Iterable[KnownType]) -> Schema:
    """Return the schema of a file; configs are checked by the schema of their type, where that is known."""
    by_table: dict[str, list[KnownType]] = {}
    for known in types:
        by_table.setdefault(known.table, []).append(known)
    definitions: Schema = {}
    for section in (*SECTIONS.values(), *(one.parts for one in SECTIONS.values() if one.parts is not None)):
        known_types = by_table.get(section.kind.types.__tablename__, []) if section.kind.types is not None else []
        for known in known_types:
            name = f"{section.name}.{known.name}"
            config_schema = known.config_schema
            if section.kind.takes_variables:
                config_schema = _with_placeholders(config_schema)
            definitions[name] = _embedded(config_schema, f"#/$defs/{name}")
        definitions[section.name] = _entry(section, known_types, definitions)
    return {
        "$schema": DRAFT,
        "title": "Definitions of the HomeLab Discord Bot",
        "type": ["object", "null"],
        "properties": {
            INCLUDE: {**_NAMES, "type": ["array", "string", "null"], "description": "Files to read as well"},
            GUILD: {**_ID, "description": "Name or id of the server of what names none"},
            **{name: _list_of(section) for name, section in SECTIONS.items()},
            NEEDED_SECRETS: {
                **_NAMES,
                "type": ["array", "null"],
                "description": "Names of the secrets that are needed",
            },
        },
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "$defs": definitions,
    }


def _list_of(section: Section) -> Schema:
    return {"type": ["array", "null"], "items": {"$ref": f"#/$defs/{section.name}"}}


def _entry(section: Section, types: list[KnownType], definitions: Schema) -> Schema:
    """Return the schema of one entry; what its fields refer to goes to `definitions`."""
    whole = section.kind.form.model_json_schema()
    definitions.update({name: _widened(part) for name, part in whole.get("$defs", {}).items()})
    properties = {name: _field(section, field, whole["properties"][field]) for name, field in section.fields.items()}
    if types:
        properties["type"] = _choice(properties["type"], types)
    if section.parts is not None:
        properties[section.parts.name] = {
            **_list_of(section.parts),
            "description": "In the order in which they are shown; without this field they stay as they are",
        }
    required = {section.file_field(name) for name in whole.get("required", ()) if name not in section.file.left_out}
    entry: Schema = {
        "description": whole.get("description", ""),
        "type": "object",
        "properties": properties,
        "required": sorted(required - {GUILD}),
        "additionalProperties": False,
    }
    if types:
        entry["allOf"] = [_config_of(section, known) for known in types]
    return entry


def _field(section: Section, name: str, schema: Schema) -> Schema:
    """Return the schema of one field.

    Servers and channels have names too; what is no text may come from the environment.
    """
    said = {key: schema[key] for key in ("description",) if key in schema}
    if name == "guild_id":
        everywhere = "; * for every server" if section.file.everywhere else ""
        return {**_ID, "description": f"Name or id of the server{everywhere}"}
    if name == "channel_id":
        return {"type": ["string", "integer", "null"], "description": "Name or id of the channel; empty for none"}
    if name == "id" or name.endswith("_id"):
        return {"type": ["string", "integer", "null"], **said}
    widened = _widened(schema)
    if widened.get("default", 0) is None:
        del widened["default"]
    return {key: value for key, value in widened.items() if key != "title"}


def _choice(schema: Schema, types: Iterable[KnownType]) -> Schema:
    """Return a type's name: one of those known, with what each is, or another that only the database knows."""
    known = [{"const": one.name, "description": one.description} for one in types]
    return {"description": schema.get("description", ""), "anyOf": [*known, {"type": "string"}]}


def _config_of(section: Section, known: KnownType) -> Schema:
    return {
        "if": {"properties": {"type": {"const": known.name}}, "required": ["type"]},
        "then": {"properties": {"config": {"$ref": f"#/$defs/{section.name}.{known.name}"}}},
    }


def _embedded(schema: Any, place: str) -> Any:
    """Return a whole schema as a part of another at this place: what it refers to has moved with it."""
    return _moved(_widened(schema), place)


def _moved(schema: Any, place: str) -> Any:
    if isinstance(schema, Mapping):
        return {
            key: f"{place}{value[1:]}"
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else _moved(value, place)
            for key, value in schema.items()
            if key not in ("$schema", "$id")
        }
    return [_moved(item, place) for item in schema] if isinstance(schema, list) else schema


def _with_placeholders(schema: Any) -> Any:
    """Return a schema that also takes a placeholder such as `${variables.host}` for the value of any property."""
    if isinstance(schema, list):
        return [_with_placeholders(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    whole = {key: _with_placeholders(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), Mapping):
        whole["properties"] = {name: _or_placeholder(part) for name, part in whole["properties"].items()}
    return whole


def _or_placeholder(schema: Schema) -> Schema:
    if not isinstance(schema, Mapping):
        return schema
    said: Schema = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    return {**said, "anyOf": [schema, _PLACEHOLDER]}


def _widened(schema: Any) -> Any:
    """Return a schema that also takes a reference to the environment wherever it takes a number or a truth value."""
    if isinstance(schema, list):
        return [_widened(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    widened = {key: _widened(value) for key, value in schema.items()}
    if schema.get("type") in _LITERAL and "enum" not in schema and "const" not in schema:
        widened["type"] = [schema["type"], "string"]
        widened["pattern"] = REFERENCE_PATTERN
    return widened


async def own_types(owner_url: str) -> list[KnownType]:
    """Return the types that are rows and switched on. Raises DatabaseError."""
    connection = await connect(owner_url, "homelab schema")
    try:
        return [
            KnownType(table, row["name"], row["description"] or row["title"], _schema(table, row["config_schema"]))
            for table, kind in _OWN.items()
            for row in await connection.fetch(
                f"SELECT * FROM {table} WHERE kind = $1 AND enabled ORDER BY name",  # noqa: S608  # one of _OWN
                kind,
            )
        ]
    except asyncpg.UndefinedTableError as error:
        raise DatabaseRefusedError("The database has no tables yet. Run: homelab db upgrade.") from error
    finally:
        await connection.close()


def _schema(table: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return config_schema_of(schema) if table == "data_source_types" else schema

"""Hypothesis strategies from JSON Schema, for the keywords that pydantic writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

ANYTHING = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=20) | st.lists(st.integers(), max_size=2)


def instances(schema: Mapping[str, Any], fields: Mapping[str, Strategy]) -> Strategy:
    """Values that the schema accepts; `fields` gives values worth trying for fields of those names."""
    return _Instances(schema.get("$defs", {}), fields).of(schema)


class _Instances:
    def __init__(self, definitions: Mapping[str, Any], fields: Mapping[str, Strategy]) -> None:
        self._definitions = definitions
        self._fields = fields

    def of(self, schema: Mapping[str, Any] | bool) -> Strategy:
        if isinstance(schema, bool) or not {"$ref", "enum", "anyOf", "type"} & schema.keys():
            return ANYTHING
        if "$ref" in schema:
            return self.of(self._definitions[schema["$ref"].rsplit("/", 1)[1]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "anyOf" in schema:
            return st.one_of([self.of(part) for part in schema["anyOf"]])
        return {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda _: st.booleans(),
            "null": lambda _: st.none(),
        }[schema["type"]](schema)

    def _object(self, schema: Mapping[str, Any]) -> Strategy:
        if "properties" not in schema:
            return st.dictionaries(
                st.text(max_size=20), self.of(schema["additionalProperties"]), max_size=schema.get("maxProperties", 5)
            )
        parts = {name: self._field(name, part) for name, part in schema["properties"].items()}
        required = {name: parts[name] for name in schema.get("required", ())}
        return st.fixed_dictionaries(required, optional={name: parts[name] for name in parts if name not in required})

    def _field(self, name: str, schema: Mapping[str, Any]) -> Strategy:
        plain = self.of(schema)
        if name not in self._fields:
            return plain
        accepts = jsonschema.Draft202012Validator({**schema, "$defs": self._definitions}).is_valid
        worth_trying = self._fields[name].filter(accepts)
        return st.integers(0, 15).flatmap(lambda draw: worth_trying if draw else plain)

    def _array(self, schema: Mapping[str, Any]) -> Strategy:
        return st.lists(self.of(schema["items"]), min_size=schema.get("minItems", 0), max_size=schema["maxItems"])

    def _string(self, schema: Mapping[str, Any]) -> Strategy:
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 300)
        if "pattern" in schema:
            matching = st.from_regex(schema["pattern"])
            return matching.filter(lambda value: shortest <= len(value) <= longest)
        long_ones = st.integers(shortest, longest).map(lambda size: "W*" * (size // 2) + "i" * (size % 2))
        return st.one_of(st.text(min_size=shortest, max_size=min(longest, 60)), long_ones)

    def _integer(self, schema: Mapping[str, Any]) -> Strategy:
        return st.integers(schema.get("minimum"), schema.get("maximum"))

    def _number(self, schema: Mapping[str, Any]) -> Strategy:
        return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)

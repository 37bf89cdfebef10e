"""Component templates: component types that are rows, composed of other components, without code."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext
from app.bot.domain.components.nesting import Body, NestedComponent, nested_calls, render_nested

_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class ComponentTemplate:
    """A row of `component_types` of kind template, as it stands: `definition` and schema may be wrong."""

    name: str
    title: str = ""
    description: str = ""
    config_schema: Mapping[str, Any] = field(default_factory=dict)
    definition: Any = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


class TemplateDefinition(BaseModel):
    """The `definition` of a component template: what a component of the type consists of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    components: Body = Field(
        min_length=1, description="The components, one after another; ${params.name} puts in a parameter"
    )


class TemplateComponent(Component):
    """A component of a component template: its body, with the parameters of the row that uses it."""

    type_name: str
    params: dict[str, Any]
    body: tuple[NestedComponent, ...]
    reads: frozenset[str] = frozenset()
    """Data sources that its parameters and its body name."""

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the blocks of the body. Raises NestingError."""
        return render_nested(context, self.body, {"params": self.params})

    def calls(self, context: RenderContext) -> tuple[ButtonCall, ...]:
        """Return the calls of the body."""
        return nested_calls(context, self.body, {"params": self.params})

    def sources(self) -> frozenset[str]:
        """Return the data sources that are named, also in component templates within this one."""
        return self.reads


def with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the default of each property that is missing, at any depth."""
    filled = _with_defaults(schema, dict(values), schema, 0)
    return filled if isinstance(filled, dict) else dict(values)


def _with_defaults(schema: Any, value: Any, root: Mapping[str, Any], depth: int) -> Any:
    schema = _resolved(schema, root)
    if depth > _MAX_DEPTH or not isinstance(schema, Mapping):
        return value
    if isinstance(value, Mapping):
        filled = dict(value)
        properties = schema.get("properties")
        for name, property_schema in properties.items() if isinstance(properties, Mapping) else ():
            part = _resolved(property_schema, root)
            if name not in filled and isinstance(part, Mapping) and "default" in part:
                filled[name] = deepcopy(part["default"])
            if name in filled:
                filled[name] = _with_defaults(part, filled[name], root, depth + 1)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [_with_defaults(schema["items"], item, root, depth + 1) for item in value]
    return value


def _resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    """Return the schema that `$ref` names in the same document."""
    for _ in range(_MAX_DEPTH):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
            break
        definitions = root.get("$defs")
        schema = definitions.get(reference.removeprefix("#/$defs/")) if isinstance(definitions, Mapping) else None
    return schema


def nested_components(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Type and config of every component that a definition holds, at any depth, in whatever field."""
    if isinstance(value, Mapping):
        if _is_component(value):
            config = value.get("config")
            yield value["type"], config if isinstance(config, Mapping) else {}
        for item in value.values():
            yield from nested_components(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from nested_components(item)


def nested_types(value: Any) -> frozenset[str]:
    """Names of the component types that a definition uses."""
    return frozenset(name for name, _ in nested_components(value))


def find_cycle(name: str, uses: Mapping[str, frozenset[str]]) -> tuple[str, ...] | None:
    """Return the shortest way from a component template back to itself, such as (a, b, a); None where there is none.

    `uses` gives the types that each component template uses.
    """
    came_from: dict[str, str] = {}
    waiting = deque([name])
    while waiting:
        current = waiting.popleft()
        for used in sorted(uses.get(current, ())):
            if used == name:
                way = [name, current]
                while way[-1] != name:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if used not in came_from:
                came_from[used] = current
                waiting.append(used)
    return None


def _is_component(value: Mapping[str, Any]) -> bool:
    known = NestedComponent.model_fields
    return isinstance(value.get("type"), str) and all(key in known for key in value)

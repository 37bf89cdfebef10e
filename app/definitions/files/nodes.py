"""What a YAML file says, each value with the line that it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.definitions.files.problems import Place

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place; that of a value in a mapping is the line of its key.

    `plain`: text without quotes, whose meaning is told from its look.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    place: Place
    plain: bool = False

    @property
    def fields(self) -> Mapping[str, Node]:
        """The entries of a mapping; of anything else, none."""
        return self.value if isinstance(self.value, Mapping) else MappingProxyType({})

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; of anything else, none."""
        return self.value if isinstance(self.value, tuple) else ()

    def data(self) -> Any:
        """The value as Python has it."""
        if isinstance(self.value, Mapping):
            return {key: node.data() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.data() for node in self.value]
        return self.value

    def find(self, path: str) -> Place:
        """The place of what a dotted path leads to, or of the nearest that is there. Keys may hold dots themselves."""
        if isinstance(self.value, tuple):
            first, _, rest = path.partition(".")
            if first.isdigit() and int(first) < len(self.value):
                return self.value[int(first)].find(rest)
            return self.place
        for key in sorted(self.fields, key=len, reverse=True):
            if path == key or path.startswith(f"{key}."):
                return self.fields[key].find(path[len(key) + 1 :])
        return self.place


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its dotted path."""
    yield path, node
    numbered = ((str(index), item) for index, item in enumerate(node.items))
    for key, child in node.fields.items() if node.fields else numbered:
        yield from walk(child, f"{path}.{key}" if path else key)

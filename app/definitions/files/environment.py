"""`${env:NAME}` and `${env:NAME:-default}` in files, replaced by the environment when the files are applied.

`$${env:NAME}` stands for the text `${env:NAME}` itself, and so on with more dollar signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.definitions.files.problems import Problem
from app.shared.yaml import Node, number_or_text

_REFERENCE = re.compile(r"(?P<dollars>\$+)\{env:(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\})?")
REFERENCE_PATTERN = r"\$\{env:[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\}"
"""A reference, for a JSON Schema."""
_TRUTH = {"true": True, "false": False}


class Environment:
    """The variables that files may name. None of them: anyone who sends the file is not who runs the program."""

    def __init__(self, variables: Mapping[str, str] | None) -> None:
        self._variables = variables

    def replace(self, node: Node, problems: list[Problem], path: str = "") -> Node:
        """Return the node with every reference replaced in its text, not in its keys; what is wrong goes to `problems`.

        Without quotes in the file, what comes out may be a number or a truth value; with quotes it stays text.
        """
        if isinstance(node.value, Mapping):
            fields = {key: self.replace(item, problems, _below(path, key)) for key, item in node.value.items()}
            return Node(fields, node.place)
        if isinstance(node.value, tuple):
            items = [self.replace(item, problems, _below(path, str(i))) for i, item in enumerate(node.value)]
            return Node(tuple(items), node.place)
        if not isinstance(node.value, str) or "{env:" not in node.value:
            return node
        for message in self._wrong(node.value):
            problems.append(Problem(node.place, message, path))
        text = _REFERENCE.sub(self._value, node.value)
        looked_at = node.plain and text != node.value
        return Node(_TRUTH.get(text, number_or_text(text)) if looked_at else text, node.place, node.plain)

    def _value(self, match: re.Match[str]) -> str:
        dollars, name, default = match["dollars"], match["name"], match["default"]
        if len(dollars) > 1:
            return match[0][1:]
        return (self._variables or {}).get(name or "") or default or ""

    def _wrong(self, text: str) -> Iterator[str]:
        for match in _REFERENCE.finditer(text):
            if len(match["dollars"]) > 1:
                continue
            name = match["name"]
            if name is None:
                yield (
                    "holds ${env: without a name and a brace after it; write ${env:NAME} or ${env:NAME:-default}, "
                    "or $${env: for the text itself"
                )
            elif self._variables is None:
                yield f"${{env:{name}}} cannot be used here, only with `homelab apply`; write the value itself"
            elif name not in self._variables and match["default"] is None:
                yield (
                    f"the environment variable {name} is not set; set it, or write a default: ${{env:{name}:-default}}"
                )


def escape_references(value: Any) -> Any:
    """Return a value as it has to stand in a file to come out as it is: its texts escaped, its keys not."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: f"${match[0]}", value)
    if isinstance(value, dict):
        return {key: escape_references(item) for key, item in value.items()}
    return [escape_references(item) for item in value] if isinstance(value, list) else value


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key

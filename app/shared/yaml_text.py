"""YAML as people type it into a field: plain values only, no aliases, and words that stay words."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import yaml

MAX_CHARACTERS = 200_000


class YamlTextError(ValueError):
    """A text is no YAML, or has what is not allowed here; the message says where."""


class _Loader(yaml.SafeLoader):
    """Values that JSON has. `on`, `yes` and 2026-01-31 are text, unlike in YAML 1.1."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # of PyYAML
            raise yaml.MarkedYAMLError(problem="write it out: aliases are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"^[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)


class _Dumper(yaml.SafeDumper):
    """Block style, texts of several lines as they read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    if any(letter in text for letter in "\x85\u2028\u2029"):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    style = "|" if "\n" in text and not any(line.endswith(" ") for line in text.splitlines()) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def load_yaml(text: str) -> Any:
    """The value in a text of YAML, and so also of JSON. Raises YamlTextError, with line and column."""
    if len(text) > MAX_CHARACTERS:
        raise YamlTextError(f"this is longer than {MAX_CHARACTERS:,} characters")
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text)
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a safe loader, made stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise YamlTextError(
            f"this is no YAML{place}: {error.problem or error.context or 'it cannot be read'}"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlTextError(f"this is no YAML: {str(error)[:200] or 'it is nested too deep'}") from None


def dump_yaml(value: Any) -> str:
    """A value of JSON's kinds as YAML that `load_yaml` reads back."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False)

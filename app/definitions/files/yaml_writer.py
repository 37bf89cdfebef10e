"""Writes YAML that people like to read, and that means the same to YAML 1.1 and 1.2."""

from __future__ import annotations

from typing import Any

import yaml

from app.definitions.files.environment import escape_references
from app.definitions.files.scalars import plain_value

_NEVER_FOLDED = 2**30
_ODD_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")
"""Line breaks to YAML 1.1 and text to YAML 1.2, and what some take for a mark: always written as escapes."""


def write_yaml(value: Any) -> str:
    """The value as YAML text. Text that looks like a reference to the environment is escaped, keys are not."""
    return yaml.dump(
        _escaped(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NEVER_FOLDED, indent=2
    )


class _Dumper(yaml.SafeDumper):
    """Lists stand below their key, further in; nothing is an alias; lines of text are lines."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if set(text) & _ODD_BREAKS:
        style = '"'
    elif "\n" in text and text.strip() == text.strip(" ") and "\t" not in text:
        style = "|"
    elif not isinstance(plain_value(text), str) or _reads_better_in_double_quotes(dumper, text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _reads_better_in_double_quotes(dumper: yaml.SafeDumper, text: str) -> bool:
    """Whether it needs quotes and holds single ones; the emitter escapes what is beyond the basic plane."""
    harmless = "'" in text and not set(text) & {'"', "\\"} and text.isprintable() and max(text) < "\ud800"
    return harmless and not dumper.analyze_scalar(text).allow_block_plain


_Dumper.add_representer(str, _text)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape_references(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value

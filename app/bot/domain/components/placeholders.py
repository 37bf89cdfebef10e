"""`${name}` in the config of a nested component: a value put in before the config is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import escape_markdown
from app.bot.domain.readings.items import value_at

_PLACEHOLDER = re.compile(r"\$\{(?!(?:secret|env):)([A-Za-z_][\w.-]*)\}")
_JINJA_OPENING = re.compile(r"\{(?=[{%#])")
_BRACE_AND_NOTHING = "{\u200b"
"""What stands for a brace that would begin a piece of a template: it looks the same and begins none."""


def fill_placeholders(value: Any, values: Mapping[str, Any], templates: Collection[str] = ()) -> Any:
    """Return the value with every `${a.b}` replaced from `values`, whatever its depth in objects and lists.

    Text that is one placeholder and nothing else becomes the value itself, whatever its type; a placeholder within
    text becomes text. In the fields named by `templates`, which hold Jinja2, a value becomes escaped text: what data
    says is shown and never run. Components nested in the value are left alone, for they are filled when it is their
    turn, and so are `${secret:...}` and `${env:...}`. Raises InvalidConfigError for unknown names.
    """
    return _filled(value, values, templates, is_template=False)


def fill_known(value: Any, values: Mapping[str, Any]) -> Any:
    """Replace the placeholders whose names are in `values`, also in nested components; the others stay."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None:
            return _known(whole, values, _value_of)
        return _PLACEHOLDER.sub(lambda match: str(_known(match, values, _text_at)), value) if "${" in value else value
    if isinstance(value, Mapping):
        return {key: fill_known(item, values) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill_known(item, values) for item in value]
    return value


def placeholders_in(value: Any) -> Iterator[str]:
    """Yield the paths in the placeholders of a value, nested components aside."""
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, Mapping):
        if not is_nested(value):
            for item in value.values():
                yield from placeholders_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from placeholders_in(item)


def is_nested(value: Any) -> bool:
    """Whether a part of a config is a nested component, by its look: what it means is for its own type to say."""
    return (
        isinstance(value, Mapping) and isinstance(value.get("type"), str) and isinstance(value.get("config"), Mapping)
    )


def _filled(value: Any, values: Mapping[str, Any], templates: Collection[str], *, is_template: bool) -> Any:
    if isinstance(value, str):
        return _filled_text(value, values, is_template) if "${" in value else value
    if isinstance(value, Mapping):
        if is_nested(value):
            return value
        return {
            key: _filled(item, values, templates, is_template=is_template or key in templates)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_filled(item, values, templates, is_template=is_template) for item in value]
    return value


def _filled_text(text: str, values: Mapping[str, Any], is_template: bool) -> Any:
    if is_template:
        return _PLACEHOLDER.sub(lambda match: _escaped(_text_of(_value_of(match[1], values))), text)
    whole = _PLACEHOLDER.fullmatch(text)
    if whole is not None:
        return _value_of(whole[1], values)
    return _PLACEHOLDER.sub(lambda match: _text_of(_value_of(match[1], values)), text)


def _escaped(text: str) -> str:
    return _JINJA_OPENING.sub(_BRACE_AND_NOTHING, escape_markdown(text))


def _value_of(path: str, values: Mapping[str, Any]) -> Any:
    root = path.partition(".")[0]
    if root not in values:
        known = ", ".join(sorted(values)) or "nothing here"
        raise InvalidConfigError(f"${{{path}}}: “{root}” is not known. Known: {known}")
    return value_at(values, path)


def _known(match: re.Match[str], values: Mapping[str, Any], look_up: Callable[[str, Mapping[str, Any]], Any]) -> Any:
    return look_up(match[1], values) if match[1].partition(".")[0] in values else match[0]


def _text_at(path: str, values: Mapping[str, Any]) -> str:
    return _text_of(_value_of(path, values))


def _text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

"""Components within components: the body of a group, of a repetition, of a template type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.blocks import Block
from app.bot.domain.component import RenderContext
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.items import value_at

Condition = Annotated[str, Field(max_length=2_000)]
"""A condition in CEL; empty is always true."""

_PLACEHOLDER = re.compile(r"\$\{(?!(?:secret|env):)([A-Za-z_][\w.]*)\}")


class NestedComponent(BaseModel):
    """One component inside another: any type, builtin or template."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(min_length=1, max_length=100, description="Name of a component type")
    name: str = Field("", max_length=200, description="A name for it, shown where it is broken")
    config: dict[str, Any] = Field(
        default_factory=dict, description="As the type's schema says; ${params.name} and ${item.name} put in values"
    )
    visible_when: Condition = Field("", description="Show it only when this CEL condition holds; empty: always")


Body = Annotated[list[NestedComponent], Field(max_length=40)]
"""Components one after another."""


def render_nested(
    context: RenderContext, children: Sequence[NestedComponent], values: Mapping[str, Any] | None = None
) -> tuple[Block, ...]:
    """The blocks of the children that are visible; one that fails becomes a Problem in its place.

    `values` (such as `params` or `item`) are known to their templates, conditions and `${...}` placeholders. Raises
    NestingError when the children are nested too deep.
    """
    blocks: list[Block] = []
    with context.nested(values or {}):
        for child in children:
            try:
                if child.visible_when and not context.test(child.visible_when):
                    continue
                config = fill_placeholders(child.config, context.values)
                blocks += context.make(child.type, config).render(context)
            except Exception as error:  # noqa: BLE001  # the guarded edge of one nested component: its siblings live
                blocks.append(context.problem(child.name or child.type, error))
    return tuple(blocks)


def fill_placeholders(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with every `${a.b}` replaced from `values`, whatever its depth in objects and lists.

    Text that is one placeholder and nothing else becomes the value itself, whatever its type; a placeholder within
    text becomes text. `${secret:...}` and `${env:...}` are left alone. Raises InvalidConfigError for unknown names.
    """
    if isinstance(value, str):
        return _filled(value, values) if "${" in value else value
    if isinstance(value, Mapping):
        return {key: fill_placeholders(item, values) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill_placeholders(item, values) for item in value]
    return value


def _filled(text: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole is not None:
        return _value_of(whole[1], values)
    return _PLACEHOLDER.sub(lambda match: _text_of(_value_of(match[1], values)), text)


def _value_of(path: str, values: Mapping[str, Any]) -> Any:
    root = path.partition(".")[0]
    if root not in values:
        known = ", ".join(sorted(values)) or "nothing here"
        raise InvalidConfigError(f"${{{path}}}: “{root}” is not known. Known: {known}")
    return value_at(values, path)


def _text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

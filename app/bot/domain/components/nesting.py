"""Components within components: the body of a group, of a repetition, of a component template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block, Button, Buttons, Container, Section, Select
from app.bot.domain.blocks.custom_id import told_apart
from app.bot.domain.components.component import Component, RenderContext
from app.bot.domain.components.fields import Condition, type_parts
from app.bot.domain.errors import TooManyNestedError


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
    """Return the blocks of the children that are visible; one that fails becomes a Problem in its place.

    `values` (such as `params` or `item`) are known to their templates, conditions and `${...}` placeholders. Raises
    NestingError when the children are nested too deep, or are too many.
    """
    blocks: list[Block] = []
    with context.nested(values or {}):
        for child in children:
            context.count_nested()
            try:
                component = _shown(context, child)
                blocks += component.render(context) if component is not None else ()
            except TooManyNestedError:
                raise
            except Exception as error:  # noqa: BLE001  # the guarded edge of one nested component: its siblings live
                blocks.append(context.problem(child.name or child.type, error))
    return tuple(blocks) if context.is_nested else tuple(_each_id_once(blocks, context.custom_ids))


def nested_calls(
    context: RenderContext, children: Sequence[NestedComponent], values: Mapping[str, Any] | None = None
) -> tuple[ButtonCall, ...]:
    """Return the calls of the children that are visible, with `values` put in as `render_nested` does; a child that
    fails has none.

    Raises NestingError when the children are nested too deep, or are too many.
    """
    calls: list[ButtonCall] = []
    with context.nested(values or {}):
        for child in children:
            context.count_nested()
            try:
                component = _shown(context, child)
                calls += component.calls(context) if component is not None else ()
            except TooManyNestedError:
                raise
            except Exception:  # noqa: BLE001, S112  # said in its place when it is shown; its siblings live
                continue
    return tuple(calls)


def _shown(context: RenderContext, child: NestedComponent) -> Component | None:
    """Return the child with its placeholders filled; None while it is not visible. Raises HomelabError."""
    if child.visible_when and not context.test(child.visible_when):
        return None
    return context.make(child.type, context.filled(child.type, child.config))


def _each_id_once(blocks: Sequence[Block], seen: set[str]) -> Iterator[Block]:
    """Yield the blocks with custom_ids that no other nested component of the dashboard has; `seen` remembers them."""
    for block in blocks:
        match block:
            case Buttons():
                buttons = tuple(_button(button, seen) for button in block.buttons)
                yield block if buttons == block.buttons else Buttons(buttons)
            case Select():
                yield replace(block, custom_id=told_apart(block.custom_id, seen))
            case Section(accessory=Button() as button):
                yield replace(block, accessory=_button(button, seen))
            case Container():
                yield replace(block, children=tuple(_each_id_once(block.children, seen)))
            case _:
                yield block


def _button(button: Button, seen: set[str]) -> Button:
    return button if button.custom_id is None else replace(button, custom_id=told_apart(button.custom_id, seen))


def nested_in(model: type[BaseModel], config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the nested components in a config of this model, each with its place, such as children.0."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        for part in type_parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel) and part is not model:
                yield from _nested_at(part, config.get(key), key)


def _nested_at(model: type[BaseModel], value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _nested_at(model, item, f"{place}.{position}")
    elif isinstance(value, Mapping):
        if model is NestedComponent:
            yield place, value
        else:
            yield from ((f"{place}.{inner}", found) for inner, found in nested_in(model, value))

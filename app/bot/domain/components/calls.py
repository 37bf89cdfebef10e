"""Finding the action that a click means among what a dashboard shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.bot.domain.actions.action import ActionCall
from app.bot.domain.blocks.block import Block, Button, Buttons, Container, Option, Section, Select, View
from app.bot.domain.blocks.custom_id import CustomId


def find_call(view: View, component_id: int, key: str) -> tuple[ActionCall, bool] | None:
    """The call of this key among the buttons and selects of a component, and whether it is a choice of a select."""
    for custom_id, part in _parts(block for message in view.messages for block in message.blocks):
        parsed = CustomId.parse(custom_id or "")
        call = part.call
        if call is not None and call.key == key and parsed is not None and parsed.component == component_id:
            return call, isinstance(part, Option)
    return None


def _parts(blocks: Iterable[Block]) -> Iterator[tuple[str | None, Button | Option]]:
    for block in blocks:
        match block:
            case Buttons():
                yield from ((button.custom_id, button) for button in block.buttons)
            case Section(accessory=Button() as button):
                yield button.custom_id, button
            case Select():
                yield from ((block.custom_id, option) for option in block.options)
            case Container():
                yield from _parts(block.children)
            case _:
                pass

"""Rendering components over readings in memory, and judging the result by Discord's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.rendering.readings import ReadingStore
from app.bot.domain.blocks.block import Block, Button, Buttons, Container, Gallery, Select, Text, View
from app.bot.domain.blocks.emoji import is_emoji
from app.bot.domain.blocks.limits import exceeds
from app.bot.domain.components.component import Component, RenderContext, parse_config
from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.shared.expressions import CelExpressions
from app.shared.templating import SandboxedTemplates

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TEMPLATES = SandboxedTemplates(filters=FILTERS, finalize=finalize)
EXPRESSIONS = CelExpressions()
COMPONENTS = ComponentFactory(component_types)


def metrics(*values: Metric, **items: Sequence[Mapping[str, Any]]) -> Reading:
    """A reading of a source that is up."""
    return Reading(NOW, metrics=values, items=items)


def down(message: str = "Connection refused") -> Reading:
    """A reading of a source that is down."""
    return Reading(NOW, Status.DOWN, message)


def store(**readings: Reading | Sequence[Reading] | None) -> ReadingStore:
    """Data sources by name with their readings, oldest first; None for a source that was never read."""
    kept = ReadingStore()
    kept.define((DataSource(number, name, "static") for number, name in enumerate(readings)), NOW)
    for name, taken in readings.items():
        for reading in [taken] if isinstance(taken, Reading) else taken or ():
            kept.put(name, reading)
    return kept


def context(readings: ReadingStore | None = None, page: str | None = None, **dashboard: Any) -> RenderContext:
    """A render context of component 7 over these readings."""
    return RenderContext(
        NOW,
        readings or store(),
        TEMPLATES,
        {"name": "Lab", **dashboard},
        component_id=7,
        page=page,
        components=COMPONENTS,
        expressions=EXPRESSIONS,
    )


def component(type_name: str, config: Mapping[str, Any]) -> Component:
    """The component that a row's config makes. Raises InvalidConfigError."""
    return parse_config(component_types[type_name], config, type_name)


def render(
    type_name: str, config: Mapping[str, Any], page: str | None = None, **readings: Reading | Sequence[Reading] | None
) -> tuple[Block, ...]:
    """The blocks of a component over these readings."""
    return component(type_name, config).render(context(store(**readings), page))


def text(type_name: str, config: Mapping[str, Any], **readings: Reading | Sequence[Reading] | None) -> str:
    """The text of a component that renders to exactly one text."""
    (block,) = render(type_name, config, **readings)
    assert isinstance(block, Text)
    return block.text


def assert_fits_discord(view: View) -> None:
    """Every limit of discord/LIMITS.md and of Discord's API description that a view's messages could break."""
    for message in view.messages:
        _assert_message_fits(message)


def _assert_message_fits(view: View) -> None:
    assert not exceeds(view)
    custom_ids: list[str] = []
    for block in _flat(view.blocks):
        match block:
            case Text():
                assert block.text.strip()
                assert len(block.text) <= 4_000
            case Buttons():
                assert 1 <= len(block.buttons) <= 5
                for button in block.buttons:
                    _assert_button(button)
                    custom_ids += [button.custom_id] if button.custom_id else []
            case Select():
                _assert_select(block)
                custom_ids.append(block.custom_id)
            case Gallery():
                assert 1 <= len(block.images) <= 10
                for image in block.images:
                    assert image.url.startswith("https://") or image.picture is not None
                    assert len(image.url) <= 2_048
                    assert image.description is None or 1 <= len(image.description) <= 1_024
    assert len(custom_ids) == len(set(custom_ids))


def _flat(blocks: Sequence[Block]) -> list[Block]:
    return [part for block in blocks for part in (_flat(block.children) if isinstance(block, Container) else [block])]


def _assert_button(button: Button) -> None:
    assert 1 <= len(button.label.strip()) <= len(button.label) <= 80
    assert (button.custom_id is None) != (button.url is None)
    assert button.custom_id is None or len(button.custom_id) <= 100
    assert button.url is None or (len(button.url) <= 512 and button.url.startswith(("https://", "http://")))
    assert button.emoji is None or is_emoji(button.emoji)


def _assert_select(select: Select) -> None:
    assert len(select.custom_id) <= 100
    assert 1 <= len(select.options) <= 25
    assert select.placeholder is None or 1 <= len(select.placeholder) <= 150
    values = [option.value for option in select.options]
    assert len(values) == len(set(values))
    assert 1 <= select.max_values <= len(select.options)
    assert sum(option.selected for option in select.options) <= select.max_values
    for option in select.options:
        assert 1 <= len(option.label.strip()) <= len(option.label) <= 100
        assert 1 <= len(option.value) <= 100
        assert option.description is None or 1 <= len(option.description) <= 100
        assert option.emoji is None or is_emoji(option.emoji)

"""The gallery shows what it promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.domain.components.types import component_types
from app.bot.infrastructure.sources import source_types
from app.definitions.catalog import component_templates
from app.gallery import gallery

NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def test_times_are_written_from_now_on() -> None:
    (backups,) = [row for row in gallery(NOW)["data_sources"] if row["name"] == "backups"]
    assert backups["config"]["items"]["backups"][0]["finished"] == "2026-05-01T07:30:00+00:00"


@pytest.mark.parametrize("row", gallery(NOW)["data_sources"], ids=lambda row: row["name"])
def test_every_source_is_valid(row: dict[str, Any]) -> None:
    source_types[row["type"]].model_validate(row["config"])
    json.dumps(row)


def test_every_component_type_is_shown_and_valid() -> None:
    cards = set(component_templates())
    shown = {part["type"] for part in _components()}
    assert {*component_types, *cards} - shown == set()
    factory = ComponentFactory(component_types)
    for part in _components():
        config = part.get("config", {})
        if part["type"] in component_types and "${" not in str(config):
            factory.make(part["type"], config)


def _components() -> Iterator[dict[str, Any]]:
    for dashboard in gallery(NOW)["dashboards"]:
        yield from dashboard["components"]
        for part in dashboard["components"]:
            yield from _nested(part.get("config", {}))


def _nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and isinstance(value.get("config", {}), dict):
            yield value
        for item in value.values():
            yield from _nested(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nested(item)

"""The documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from app.bot.domain.components.types import component_types
from scripts import integrations

DOCS = Path(__file__).parents[1] / "docs"


def test_every_component_type_is_in_the_table_and_every_one_there_exists() -> None:
    table = (DOCS / "component-types.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(component_types)


def test_the_page_of_integrations_is_what_its_script_writes() -> None:
    written = (DOCS / "integrations.md").read_text(encoding="utf-8")
    assert written == integrations.page(), "The catalog or its tests changed: run `make docs`"


def test_every_integration_is_tested_with_something() -> None:
    assert "nothing" not in map(integrations.tested_with, integrations.integrations())

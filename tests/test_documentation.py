"""The documentation names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import integrations, type_tables

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", type_tables.PAGES)
def test_the_tables_of_types_are_what_their_script_writes(page: str) -> None:
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == type_tables.page(page), "A type's title, docstring or fields changed: run `make docs`"


def test_the_page_of_integrations_is_what_its_script_writes() -> None:
    written = (DOCS / "integrations.md").read_text(encoding="utf-8")
    assert written == integrations.page(), "The catalog or its tests changed: run `make docs`"


def test_every_integration_is_tested_with_something() -> None:
    assert "nothing" not in map(integrations.tested_with, integrations.integrations())

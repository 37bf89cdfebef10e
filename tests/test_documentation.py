"""The documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import integrations, type_tables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "tests/README.md",
    *DOCS.glob("*.md"),
    *DOCS.glob("adr/*.md"),
]
INVENTED = ("deadline", "folder", "udp_message", "notes", "NAME", "/X/")
"""Examples of the guides, which exist only there."""


@pytest.mark.parametrize("page", type_tables.PAGES)
def test_the_tables_of_types_are_what_their_script_writes(page: str) -> None:
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == type_tables.page(page), "A type's title, docstring or fields changed: run `make docs`"


def test_the_page_of_integrations_is_what_its_script_writes() -> None:
    written = (DOCS / "integrations.md").read_text(encoding="utf-8")
    assert written == integrations.page(), "The catalog or its tests changed: run `make docs`"


def test_every_integration_is_tested_with_something() -> None:
    assert "nothing" not in map(integrations.tested_with, integrations.integrations())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:app|tests|bench|scripts|docs)/[\w./*-]+)`", text))
    linked = set(re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text))
    gone = {
        path for path in named if not any(ROOT.glob(path.rstrip("/"))) and not any(word in path for word in INVENTED)
    }
    assert not gone, f"{page.name} names what is not there"
    assert not {link for link in linked if not (page.parent / link).exists()}, f"{page.name} links to what is not there"

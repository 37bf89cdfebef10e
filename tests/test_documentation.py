"""The documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from app.bot.domain import components as _registered  # noqa: F401  # importing registers the component types
from app.bot.domain.component import component_types

DOCS = Path(__file__).parents[1] / "docs"


def test_every_component_type_is_in_the_table_and_every_one_there_exists() -> None:
    table = (DOCS / "component-types.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(component_types)

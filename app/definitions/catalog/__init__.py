"""The definitions that ship with the program: files of definitions, and what tells their records from those of people.

`seeding.py` applies what stands in the folder itself, in component_types and in integrations at every start, and
dashboards for a server; the gallery is for `homelab gallery`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from app.shared.yaml import read_yaml

SEEDED_SETTING = "catalog.seeded"
"""The setting that remembers what was added, so that a row someone deleted does not come back."""
CONTENT = ("title", "description", "config_schema", "definition")
"""The columns that make a type what it is."""
_CATALOG = files(__name__)


def texts(folder: str | Traversable = "") -> dict[str, str]:
    """Return the texts of the YAML files of a folder of the catalog, or another, in the order of their names."""
    place = _CATALOG / folder if isinstance(folder, str) else folder
    found = (entry for entry in place.iterdir() if entry.name.endswith(".yaml"))
    return {entry.name: entry.read_text(encoding="utf-8") for entry in sorted(found, key=lambda entry: entry.name)}


def pictures() -> dict[str, bytes]:
    """Return the pictures of the gallery by name."""
    found = (entry for entry in (_CATALOG / "gallery").iterdir() if entry.name.endswith(".png"))
    return {entry.name: entry.read_bytes() for entry in found}


def component_templates() -> dict[str, dict[str, Any]]:
    """Return the component types that are made of others, by name."""
    return _types("component_types", "component_types")


def integrations() -> dict[str, dict[str, Any]]:
    """Return the integrations by name."""
    return _types("integrations", "data_source_types")


def comes_along(table: str, row: Any) -> bool:
    """Tell whether a row of a table of types is one of the catalog's, as the catalog has it."""
    known = _digests().get(table, {}).get(getattr(row, "name", ""))
    return known is not None and known == digest({column: getattr(row, column) for column in CONTENT})


def digest(row: Mapping[str, Any]) -> str:
    """Return a mark of what a type says."""
    return mark_of(json.dumps([row[column] for column in CONTENT], sort_keys=True))


def mark_of(text: str) -> str:
    """Return a short mark that is another one for any other text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@cache
def _digests() -> dict[str, dict[str, str]]:
    tables = {"component_types": component_templates(), "data_source_types": integrations()}
    return {table: {name: digest(row) for name, row in rows.items()} for table, rows in tables.items()}


def _types(folder: str, section: str) -> dict[str, dict[str, Any]]:
    rows = (row for name, text in texts(folder).items() for row in read_yaml(text, name).data()[section])
    return {row["name"]: row for row in rows}

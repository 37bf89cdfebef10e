"""The tables of component, data source and action types in docs, written from the types: `make docs`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel

from app.bot.domain.actions.settings import ActionSettings
from app.bot.domain.components.types import component_types
from app.bot.infrastructure.actions import action_types
from app.bot.infrastructure.sources import source_types
from scripts.integrations import table

DOCS = Path(__file__).parents[1] / "docs"
Types = Iterable[tuple[str, type[BaseModel]]]

PAGES: Mapping[str, Types] = {
    "component-types.md": tuple(component_types.items()),
    "data-source-types.md": tuple(source_types.items()),
    "actions.md": tuple(action_types.items()),
}
"""Pages of docs by name, and the types in the table of each."""

_BEGIN = "<!-- Written by `make docs` from the types: change those, not this table. -->\n"
_END = "<!-- The end of what `make docs` writes. -->\n"


def main() -> None:
    """Write the tables into the pages."""
    for name in PAGES:
        (DOCS / name).write_text(page(name), encoding="utf-8")


def page(name: str) -> str:
    """Return a page with its table as it should be. Raise ValueError where the marks are not there."""
    before, begin, rest = (DOCS / name).read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"docs/{name} has lost the marks around its table")
    return f"{before}{begin}{types_table(PAGES[name])}\n{end}{after}"


def types_table(types: Types) -> str:
    """Return a row for each type: name, title, description and settings, those that are needed in bold."""
    rows = [[f"`{name}`", model.model_config.get("title", ""), _text(model), _settings(model)] for name, model in types]
    return table(("type", "title", "description", "settings"), rows)


def _text(model: type[BaseModel]) -> str:
    return re.sub(r"\s+", " ", inspect.getdoc(model) or "")


def _settings(model: type[BaseModel]) -> str:
    """Return the names of the type's own fields; those that every action has are described once."""
    common = ActionSettings.model_fields if issubclass(model, ActionSettings) else {}
    fields = {name: field for name, field in model.model_fields.items() if name not in common}
    return ", ".join(f"**`{name}`**" if field.is_required() else f"`{name}`" for name, field in fields.items())


if __name__ == "__main__":
    main()

"""The program's own catalog is what files can say: dashboards, gallery, types and sources of every kind."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from app.cli.provision import builtin_types
from app.definitions.catalog.seed import dashboards
from app.definitions.files.layout import one_file
from app.definitions.files.schema import KnownType, file_schema
from app.definitions.files.type_rows import own_types
from app.gallery import gallery
from app.shared.yaml import write_yaml
from tests.definitions.files.lab import Lab
from tests.support import factories

CATALOG = files("app.definitions.catalog")


def catalog() -> dict[str, Any]:
    """All of it, the gallery too, as one file would have it."""
    found: dict[str, Any] = {"guild": "My Lab", "dashboards": list(dashboards().values())}
    for section, rows in gallery().items():
        found.setdefault(section, []).extend(rows)
    for name in ("actions", "commands", "data_sources", "services"):
        found.setdefault(name, []).extend(yaml.safe_load((CATALOG / f"{name}.yaml").read_text(encoding="utf-8"))[name])
    types = sorted((CATALOG / "component_types").iterdir(), key=lambda entry: entry.name)
    found["component_types"] = [
        yaml.safe_load(entry.read_text(encoding="utf-8"))["component_types"][0] for entry in types
    ]
    return found


async def test_the_catalog_comes_back_as_it_was(lab: Lab) -> None:
    await factories.guild(lab.owner, name="My Lab")
    await lab.apply(write_yaml(catalog()))
    exported = await lab.export()
    assert len(exported["dashboards"]) > 3
    assert (await lab.apply(one_file(exported), prune=True)).changes == ()

    types = [KnownType(one.table, one.name, one.description, one.config_schema) for one in builtin_types()]
    schema = file_schema([*types, *await own_types(lab.owner_url)])
    assert [error.message for error in Draft202012Validator(schema).iter_errors(exported)] == []

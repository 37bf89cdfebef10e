"""The program's own catalog is what files can say: dashboards, gallery, types and sources of every kind."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from app.cli.provision import builtin_types
from app.definitions.catalog import texts
from app.definitions.files.exporting import one_file
from app.definitions.files.schema import KnownType, file_schema, own_types
from app.gallery import gallery
from app.shared.yaml import read_yaml, write_yaml
from tests.definitions.files.lab import Lab
from tests.support import factories


def catalog() -> dict[str, Any]:
    """All of it, the gallery too, as one file would have it."""
    folders = ("", "component_types", "dashboards")
    files = [read_yaml(text, name).data() for folder in folders for name, text in texts(folder).items()]
    found: dict[str, Any] = {"guild": "My Lab"}
    for definitions in (*files, gallery()):
        for section, entries in definitions.items():
            found.setdefault(section, []).extend(entries)
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

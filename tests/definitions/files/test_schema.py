"""The schema for editors takes what can be applied, and knows the settings of every type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from app.cli.provision import builtin_types
from app.definitions.files.schema import KnownType, file_schema, own_types
from app.definitions.seeding import dashboard_texts
from tests.definitions.files.lab import Lab
from tests.definitions.files.test_applying import WHOLE

BUILTIN = [KnownType(one.table, one.name, one.description, one.config_schema) for one in builtin_types()]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made = file_schema(BUILTIN)
    Draft202012Validator.check_schema(made)
    return made


def errors(schema: dict[str, Any], text: str) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(yaml.safe_load(text))
    return [".".join(str(part) for part in error.absolute_path) for error in found]


def test_what_can_be_applied_fits(schema: dict[str, Any]) -> None:
    assert errors(schema, WHOLE) == []
    assert errors(schema, "") == []
    assert errors(schema, "x-defaults: {a: 1}\ninclude: a.yaml\ndata_sources:") == []
    assert errors(schema, "data_sources: [{name: a, type: host, interval_seconds: '${env:N:-5}'}]") == []


def test_the_catalog_fits(schema: dict[str, Any]) -> None:
    for text in dashboard_texts().values():
        assert errors(schema, text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dashbords: []", ""),
        ("data_sources: [{name: a}]", "data_sources.0"),
        ("data_sources: [{name: a, type: host, interval_seconds: soon}]", "data_sources.0.interval_seconds"),
        ("data_sources: [{name: a, type: host, config: {processes: many}}]", "data_sources.0.config.processes"),
        ("data_sources: [{name: a, type: host, config: {colour: red}}]", "data_sources.0.config"),
        ("dashboards: [{name: a, components: [{type: gauge}, {type: table, config: {limit: x}}]}]",
         "dashboards.0.components.1.config.limit"),
        ("dashboards: [{name: a, guild_id: 5}]", "dashboards.0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_underlined(schema: dict[str, Any], text: str, place: str) -> None:
    assert place in errors(schema, text)


async def test_types_that_are_rows_are_known(lab: Lab) -> None:
    text = """
        component_types:
          - name: card
            description: A card
            config_schema:
              type: object
              properties: {label: {$ref: "#/$defs/Label"}}
              $defs: {Label: {type: string}}
            definition: {components: [{type: text, config: {text: hi}}]}
    """
    await lab.apply(text)
    made = file_schema([*BUILTIN, *await own_types(lab.owner_url)])
    assert errors(made, "dashboards: [{name: a, components: [{type: card, config: {label: x}}]}]") == []
    wrong = "dashboards: [{name: a, components: [{type: card, config: {label: 5}}]}]"
    assert errors(made, wrong) == ["dashboards.0.components.0.config.label"]


async def test_an_export_fits(lab: Lab, schema: dict[str, Any], tmp_path: Path) -> None:
    await lab.apply(WHOLE)
    assert errors(schema, await lab.export_text()) == []

"""Data source types that are requests and mappings, through the REST API."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.web.api.conftest import Call
from tests.web.api.test_component_types import wrong

pytestmark = pytest.mark.usefixtures("types")
PRINTER: dict[str, Any] = {
    "name": "printer",
    "title": "Printer",
    "config_schema": {
        "type": "object",
        "properties": {"url": {"type": "string"}, "tray": {"type": "integer", "default": 1}},
        "required": ["url", "tray"],
        "additionalProperties": False,
    },
    "definition": {
        "url": "${params.url}",
        "requests": [{"name": "status", "path": "/trays/${params.tray}"}],
        "metrics": [{"name": "toner", "path": "status.toner", "unit": "percent"}],
        "status": "metrics['toner'] > 5.0",
        "components": [{"type": "gauge", "config": {"label": "Toner", "source": "${source}", "metric": "toner"}}],
    },
}


def with_definition(**changed: Any) -> dict[str, Any]:
    return {**PRINTER, "definition": {**PRINTER["definition"], **changed}}


async def test_a_new_type_can_be_used_at_once(call: Call, owner: asyncpg.Connection) -> None:
    made = await call("POST", "/data-source-types", PRINTER)
    assert made.status_code == 201, made.text
    kind = await owner.fetchval("SELECT kind FROM data_source_types WHERE name = 'printer'")
    assert kind == "integration"
    source = {"name": "hp", "type": "printer", "config": {"url": "http://hp.lan", "connection": {"verify_tls": False}}}
    assert (await call("POST", "/data-sources", source)).status_code == 201
    for config, message in (
        ({}, "config.url: is missing"),
        ({"url": "x", "colour": 1}, "config.colour: no such setting"),
        ({"url": "x", "connection": {"max_mebibytes": 0}}, "config.connection.max_mebibytes: "),
    ):
        refused = await call("POST", "/data-sources", {**source, "name": "other", "config": config})
        assert any(line.startswith(message) for line in await wrong(refused)), refused.text


async def test_a_type_in_use_is_neither_renamed_nor_deleted(call: Call) -> None:
    await call("POST", "/data-source-types", PRINTER)
    await call("POST", "/data-sources", {"name": "hp", "type": "printer", "config": {"url": "http://hp.lan"}})
    renamed = await call("PATCH", "/data-source-types/printer", {"name": "printers"})
    assert "the data source “hp”" in (await wrong(renamed))[0]
    assert "the data source “hp”" in (await wrong(await call("DELETE", "/data-source-types/printer")))[0]
    assert (await call("PATCH", "/data-source-types/printer", {"title": "Printers"})).status_code == 200


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"requests": []}, "definition.requests: "),
        ({"metrics": [{"name": "a", "path": "status["}]}, "definition.metrics.0.path: not a JMESPath expression"),
        ({"status": "1 +"}, "definition.status: "),
        ({"url": "${params.adress}"}, "definition.url: ${params.adress}: there is no parameter “adress”"),
        ({"url": "${host}"}, "definition.url: ${host}: “host” is not known here"),
        ({"auth": {"type": "magic"}}, "definition.auth: "),
        ({"metrics": [{"name": "a", "path": "x", "pattern": "(a)(?=b)"}]}, "definition.metrics.0.pattern: "),
        ({"components": [{"type": "gage", "config": {}}]}, "definition.components.0.type: there is no type “gage”"),
        (
            {"components": [{"type": "text", "config": {"text": "${sorce}"}}]},
            "definition.components.0.config: ${sorce}: “sorce” is not known here",
        ),
        ({"surprise": 1}, "definition.surprise: no such setting"),
    ],
)
async def test_what_is_wrong_is_named_by_its_place(call: Call, changed: dict[str, Any], message: str) -> None:
    lines = await wrong(await call("POST", "/data-source-types", with_definition(**changed)))
    assert any(line.startswith(message) for line in lines), lines

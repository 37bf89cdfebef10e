"""Every integration of the catalog, against answers in the shape that its service documents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from aiohttp import web

from app.bot.application.rendering.builder import DashboardBuilder
from app.bot.application.rendering.component_factory import ComponentFactory
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.block import View
from app.bot.domain.components.component import component_types
from app.bot.domain.components.component_templates import ComponentTemplate
from app.bot.domain.components.placeholders import fill_known
from app.bot.domain.dashboards.dashboard import Dashboard, DashboardComponent
from app.bot.domain.integrations.definition import Integration, SourceDefinition
from app.bot.domain.readings.reading import Metric, Reading
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.integrations.source import open_integration, parse_definition
from app.bot.infrastructure.network.http_session import make_session
from app.bot.infrastructure.secrets import UnknownSecretError
from app.bot.infrastructure.sources import Resources, source_types
from app.definitions.catalog import component_templates, integrations
from app.definitions.component_templates import ComponentTemplateChecks, StoredType
from app.definitions.integrations import source_type_errors
from app.shared.expressions import CelExpressions
from app.shared.kit.json_schema import schema_problem
from tests.support.local_servers import http_server
from tests.support.rendering import NOW, TEMPLATES, assert_fits_discord, store

ROWS = integrations()
COMPONENT_TEMPLATES = [
    ComponentTemplate(name, row["title"], row["description"], row["config_schema"], row["definition"])
    for name, row in component_templates().items()
]
TESTS = Path(__file__).parent / "integrations"


class Secrets:
    """Secrets in memory."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    async def get(self, name: str) -> str:
        if name not in self.values:
            raise UnknownSecretError(name)
        return self.values[name]


def type_of(name: str) -> Integration:
    row = ROWS[name]
    return Integration(name, row["title"], row["description"], row["config_schema"], row["definition"])


def definition_of(name: str) -> SourceDefinition:
    return parse_definition(type_of(name))


def shape_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((TESTS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def fits(expected: Mapping[str, Any], request: web.Request, body: bytes) -> bool:
    """Whether a request is one that this answer is for."""
    if request.method != expected.get("method", "GET") or request.path != expected["path"]:
        return False
    if any(request.headers.get(name) != str(value) for name, value in expected.get("headers", {}).items()):
        return False
    if any(request.query.get(name) != str(value) for name, value in expected.get("query", {}).items()):
        return False
    if "json" in expected and (not body or json.loads(body) != expected["json"]):
        return False
    sent = dict(parse_qsl(body.decode(), keep_blank_values=True)) if "form" in expected else {}
    return "form" not in expected or sent == {name: str(value) for name, value in expected["form"].items()}


async def remote_calls(shape: Mapping[str, Any], request: web.Request) -> web.WebSocketResponse:
    """Answers the calls of one WebSocket: entries whose request has `rpc`, and `params` where they matter."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        call = message.json()
        answer: dict[str, Any] = {"error": {"code": -32601, "message": f"nothing is recorded for {call['method']}"}}
        for entry in shape["answers"]:
            wanted = entry["request"]
            if (wanted["path"], wanted.get("rpc")) == (request.path, call["method"]) and wanted.get(
                "params", call["params"]
            ) == call["params"]:
                answer = {"result": entry.get("json")}
                break
        await socket.send_json({"jsonrpc": "2.0", "id": call["id"], **answer})
    return socket


@asynccontextmanager
async def service(shape: Mapping[str, Any]) -> AsyncIterator[str]:
    """A server that answers as the shape says."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade") == "websocket":
            return await remote_calls(shape, request)
        body = await request.read()
        for entry in shape["answers"]:
            if fits(entry["request"], request, body):
                text = entry["text"] if "text" in entry else json.dumps(entry.get("json"))
                headers = {"Content-Type": "application/json", **entry.get("headers", {})}
                return web.Response(status=entry.get("status", 200), text=text, headers=headers)
        return web.Response(status=404, text=f"nothing is recorded for {request.method} {request.path_qs}")

    async with http_server(answer) as address:
        yield address


async def read(name: str, shape: Mapping[str, Any], address: str) -> tuple[Reading, str]:
    """One reading, and all that was shown of it."""
    params = json.loads(json.dumps(shape["params"]).replace("${server}", address))
    async with make_session() as session:
        resources = Resources(session, Secrets(shape.get("secrets", {})), Statistics())
        source = open_integration(type_of(name), DataSource(1, name, name, config=params), resources)
        seen = await source.test()
        assert seen.error is None, (seen.error, seen.requests)
        assert seen.reading is not None
        return seen.reading, repr(seen)


def label_of(metric: Metric) -> str:
    labels = ",".join(f"{key}={value}" for key, value in sorted(metric.labels.items()))
    return f"{metric.name}{{{labels}}}" if labels else metric.name


def test_each_has_a_recorded_shape() -> None:
    assert {path.stem for path in TESTS.glob("*.yaml")} == set(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_the_documented_answers_become_the_metrics(name: str) -> None:
    shape = shape_of(name)
    assert shape["shape"].startswith("https://")
    async with service(shape) as address:
        reading, shown = await read(name, shape, address)
    expected = shape["expect"]
    assert (reading.status.value, reading.message) == (expected["status"], expected.get("message", ""))
    found = {label_of(metric): metric.value for metric in reading.metrics}
    ages = {metric.name for metric in definition_of(name).metrics if metric.parse in ("age", "until")}
    steady = {key: value for key, value in found.items() if key.partition("{")[0] not in ages}
    assert steady == pytest.approx(
        {key: value for key, value in expected["metrics"].items() if key.partition("{")[0] not in ages}
    )
    assert {key.partition("{")[0] for key in expected["metrics"]} == {one.name for one in definition_of(name).metrics}
    for key in found.keys() - steady.keys():  # how long ago something was depends on today
        assert (found[key] is None) == (expected["metrics"].get(key) is None)
    assert {table: [dict(row) for row in rows] for table, rows in reading.items.items()} == expected.get("items", {})
    for secret in shape.get("secrets", {}).values():
        assert secret not in shown


@pytest.mark.parametrize("name", sorted(ROWS))
async def test_its_components_show_what_was_read(name: str) -> None:
    shape = shape_of(name)
    async with service(shape) as address:
        reading, _ = await read(name, shape, address)
    view = shown_on_a_dashboard(name, reading)
    assert view.problems == ()
    assert_fits_discord(view)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_its_components_can_stand_without_a_reading(name: str) -> None:
    assert shown_on_a_dashboard(name, None).problems == ()


def shown_on_a_dashboard(name: str, reading: Reading | None) -> View:
    ready = definition_of(name).components
    assert len(ready) >= 1
    components = [
        DashboardComponent(number, 1, part.type, config=fill_known(part.config, {"source": "lab", "title": "Lab"}))
        for number, part in enumerate(ready, start=1)
    ]
    builder = DashboardBuilder(
        ComponentFactory(component_types, COMPONENT_TEMPLATES),
        store(lab=reading),
        TEMPLATES,
        expressions=CelExpressions(),
    )
    return builder.build(Dashboard(1, 1, "lab", components=tuple(components)), NOW)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_each_could_be_saved_in_the_web_admin(name: str) -> None:
    row = ROWS[name]
    stored = [StoredType(type_.name, type_.config_schema, type_.definition) for type_ in COMPONENT_TEMPLATES]
    checks = ComponentTemplateChecks(dict(component_types.items()))
    assert source_type_errors(row["config_schema"], row["definition"], checks, stored) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_each_is_described_for_its_users(name: str) -> None:
    row = ROWS[name]
    assert name not in source_types
    assert row["title"]
    assert row["description"].endswith(".")
    assert schema_problem(row["config_schema"]) is None
    assert row["config_schema"]["additionalProperties"] is False
    for parameter in row["config_schema"]["properties"].values():
        assert parameter.get("title")
    definition = definition_of(name)
    assert definition.icon
    assert definition.website.startswith("https://")

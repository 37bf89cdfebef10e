"""A data source: what it gave last, what a test gives now, and the components that come with its type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.bot.domain.components.placeholders import fill_known
from app.bot.domain.formatting.units import format_value
from app.bot.domain.readings.items import value_text
from app.definitions import audit
from app.definitions.actors import WebActor
from app.definitions.errors import InvalidRecordError
from app.definitions.kinds.components import COMPONENTS
from app.definitions.kinds.data_source_types import DATA_SOURCE_TYPES
from app.definitions.kinds.data_sources import DATA_SOURCES
from app.shared.database.models import DashboardRow, DataSourceRow, DataSourceTypeRow, PushRow, SourceStateRow
from app.shared.yaml import YamlError, read_typed_yaml
from app.web import pushes
from app.web.context import actor_of_request, context_of, database_of
from app.web.pages.render import pages_of
from app.web.source_tests import SourceTestRequest, run_source_test

router = APIRouter(include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
Actor = Annotated[WebActor, Depends(actor_of_request)]
_ROWS_SHOWN = 20
_COLUMNS_SHOWN = 8
_DEFAULT_SECONDS = 10.0


@router.get("/data-sources/{key}")
async def show_source(key: str, request: Request, database: Database, actor: Actor) -> Response:
    """Return the newest reading, and the components that come with the type."""
    return await _page(key, request, database, actor)


@router.post("/data-sources/{key}/push-address")
async def make_push_address(key: str, request: Request, database: Database, actor: Actor) -> Response:
    """Return a new address to call, shown this once."""
    if not actor.may(DATA_SOURCES.writer):
        raise HTTPException(403)
    source = await _found(request, database, key)
    if source.type != pushes.TYPE:
        raise HTTPException(404)
    path = await pushes.make_address(database, source)
    audit.record(database, actor, "data-sources.push_address", source.name)
    await database.commit()
    return await _page(key, request, database, actor, push_path=path)


async def _page(key: str, request: Request, database: AsyncSession, actor: WebActor, push_path: str = "") -> Response:
    context = context_of(request)
    source: DataSourceRow = await _found(request, database, key)
    known = await database.get(DataSourceTypeRow, source.type)
    state = await database.get(SourceStateRow, source.id)
    ready = _ready(known, source)
    values = {
        "title": source.title or source.name,
        "source": source,
        "type": known,
        "state": state,
        "result": {"reading": state.reading, "error": state.error} if state is not None else None,
        "view": await context.preview.ready(ready) if ready else None,
        "dashboards": await _dashboards(database),
        "push": await database.get(PushRow, source.id) if source.type == pushes.TYPE else None,
        "push_path": push_path,
        "now": datetime.now(UTC),
        "may_edit": actor.may(DATA_SOURCES.writer),
    }
    _add_reading_filters(request)
    return pages_of(request).render(request, "pages/source.html", values)


@router.post("/data-sources/{key}/components")
async def add_components(
    key: str, request: Request, database: Database, actor: Actor, dashboard: Annotated[int, Form()]
) -> Response:
    """Put the type's components on a dashboard, below what is there."""
    source = await _found(request, database, key)
    store = context_of(request).store
    for component in _ready(await database.get(DataSourceTypeRow, source.type), source):
        await store.create(database, COMPONENTS, {**component, "dashboard_id": dashboard}, actor)
    await database.commit()
    return RedirectResponse(f"/dashboards/{dashboard}", 303)


@router.post("/data-sources/test")
async def try_config(
    *,
    request: Request,
    database: Database,
    actor: Actor,
    type: Annotated[str, Form()] = "",  # the field's name in the form
    config: Annotated[str, Form()] = "{}",
    timeout_seconds: Annotated[str, Form()] = "",
) -> Response:
    """Return what one reading with this config gives, whether it is saved or not."""
    try:
        values = json.loads(config)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return _shown(request, {"error": "The config is no JSON object. Put it right, then test again."})
    return await _tried(request, database, actor, SourceTestRequest(type, values, _seconds(timeout_seconds)))


@router.post("/data-source-types/test")
async def try_type(
    *,
    request: Request,
    database: Database,
    actor: Actor,
    name: Annotated[str, Form()] = "",
    config_schema: Annotated[str, Form()] = "",
    definition: Annotated[str, Form()] = "",
    sample: Annotated[str, Form()] = "",
) -> Response:
    """Return what one reading of a type gives while it is being written, with these parameters."""
    typed: dict[str, Any] = {}
    for field, text in (("config_schema", config_schema), ("definition", definition), ("parameters", sample)):
        try:
            typed[field] = read_typed_yaml(text) if text.strip() else {}
        except YamlError as error:
            return _shown(request, {"error": f"{field}: {error}"})
        if not isinstance(typed[field], dict):
            return _shown(request, {"error": f"{field}: must be settings with names, such as “url: http://nas”"})
    record = {"name": name.strip() or "unnamed", **typed}
    del record["parameters"]
    try:
        await context_of(request).store.validation.check(database, DATA_SOURCE_TYPES, record)
    except InvalidRecordError as error:
        return _shown(request, {"problems": error.errors})
    integration = {"config_schema": typed["config_schema"], "definition": typed["definition"]}
    asked = SourceTestRequest(record["name"], typed["parameters"], _DEFAULT_SECONDS, integration)
    return await _tried(request, database, actor, asked)


async def _tried(request: Request, database: AsyncSession, actor: WebActor, asked: SourceTestRequest) -> Response:
    if not actor.may(DATA_SOURCES.writer):
        raise HTTPException(403)
    audit.record(database, actor, "data-sources.test", asked.type)
    await database.commit()
    return _shown(request, await run_source_test(context_of(request).sessions, actor, asked))


def _shown(request: Request, result: Mapping[str, Any]) -> Response:
    _add_reading_filters(request)
    template = pages_of(request).environment.get_template("preview/test.html")
    return HTMLResponse(template.render(result=result, request=request))


async def _found(request: Request, database: AsyncSession, key: str) -> DataSourceRow:
    row: DataSourceRow = await context_of(request).store.get(database, DATA_SOURCES, key)
    return row


def _ready(known: DataSourceTypeRow | None, source: DataSourceRow) -> list[dict[str, Any]]:
    """Return the components that come with a type, for one source of it."""
    definition = known.definition if known is not None and known.kind == "integration" else None
    parts = definition.get("components", []) if isinstance(definition, dict) else []
    names = {"source": source.name, "title": source.title or source.name}
    return [
        {"type": part["type"], "config": fill_known(part.get("config", {}), names)}
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("type"), str)
    ]


async def _dashboards(database: AsyncSession) -> Sequence[DashboardRow]:
    return list(await database.scalars(select(DashboardRow).order_by(DashboardRow.name)))


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _DEFAULT_SECONDS


def _add_reading_filters(request: Request) -> None:
    environment = pages_of(request).environment
    environment.filters.setdefault("metric_value", lambda metric: format_value(metric["value"], metric["unit"]))
    environment.filters.setdefault("cell", value_text)
    environment.filters.setdefault("columns", _columns)


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of a table's first rows, as many as fit a page."""
    found = dict.fromkeys(name for row in rows[:_ROWS_SHOWN] for name in row)
    return list(found)[:_COLUMNS_SHOWN]

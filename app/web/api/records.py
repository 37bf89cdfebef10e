"""Routes for every kind of record: list, get, create, change, delete."""

# No postponed annotations here: FastAPI reads the models that each route is made with from them.

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, create_model
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.actors import WebActor
from app.definitions.errors import StaleRecordError
from app.definitions.inputs import MAX_ID
from app.definitions.kinds.base import RecordKind
from app.definitions.kinds.dashboards import DASHBOARDS
from app.definitions.outputs import dump, etag, output_model, patch_model
from app.definitions.store import may_read
from app.web.api.problems import NotAuthenticatedError, documented
from app.web.context import context_of, database_of

Database = Annotated[AsyncSession, Depends(database_of)]
IfMatch = Annotated[str | None, Header(description="ETag of the record that the change is meant for")]
Limit = Annotated[int, Query(ge=1, le=500, description="Records returned at most")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Records left out at the beginning")]
DashboardFilter = Annotated[int | None, Query(gt=0, le=MAX_ID, description="Only components of this dashboard")]


def require_actor(request: Request) -> WebActor:
    """Who asks. Raises NotAuthenticatedError."""
    actor: WebActor | None = request.state.actor
    if actor is None:
        raise NotAuthenticatedError
    return actor


Actor = Annotated[WebActor, Depends(require_actor)]


def record_routes(kind: RecordKind) -> APIRouter:
    """All routes of one kind."""
    router = APIRouter(prefix=f"/{kind.name}", tags=[kind.name])
    _add_reading(router, kind)
    if kind.shape is not None:
        _add_writing(router, kind, kind.shape, patch_model(kind))
    return router


def _add_reading(router: APIRouter, kind: RecordKind) -> None:
    output = output_model(kind)
    page = create_model(f"{output.__name__}List", items=(list[output], ...), total=(int, ...))  # type: ignore[valid-type]  # made at start

    async def list_records(
        *,
        actor: Actor,
        database: Database,
        limit: Limit = 100,
        offset: Offset = 0,
        dashboard_id: DashboardFilter = None,
    ) -> Response:
        may_read(kind, actor)
        statement = select(kind.row)
        if dashboard_id is not None:
            statement = statement.where(kind.row.__mapper__.columns["dashboard_id"] == dashboard_id)
        total = await database.scalar(select(func.count()).select_from(statement.subquery()))
        found = await database.scalars(statement.order_by(*_order(kind)).limit(limit).offset(offset))
        return JSONResponse({"items": [dump(kind, row, actor.role) for row in found], "total": total})

    async def list_all(actor: Actor, database: Database, limit: Limit = 100, offset: Offset = 0) -> Response:
        return await list_records(actor=actor, database=database, limit=limit, offset=offset)

    async def get_record(key: str, request: Request, actor: Actor, database: Database) -> Response:
        may_read(kind, actor)
        row = await context_of(request).store.get(database, kind, key)
        return JSONResponse(dump(kind, row, actor.role), headers={"ETag": etag(row)})

    router.get("", response_model=page, summary=f"List {kind.name}", responses=documented(401, 403, 422))(
        list_records if kind.part_of == DASHBOARDS.name else list_all
    )
    router.get(
        "/{key}", response_model=output, summary=f"Get a {kind.singular}", responses=documented(401, 403, 404, 422)
    )(get_record)


def _add_writing(router: APIRouter, kind: RecordKind, shape: type[BaseModel], changes: type[BaseModel]) -> None:
    output = output_model(kind)

    async def create_record(body: shape, request: Request, actor: Actor, database: Database) -> Response:  # type: ignore[valid-type]  # made at start
        values = body.model_dump(exclude_unset=True)  # type: ignore[attr-defined]  # a model, see the annotation
        row = await context_of(request).store.create(database, kind, values, actor)
        await database.commit()
        location = f"{request.url.path.rstrip('/')}/{getattr(row, kind.key)}"
        return JSONResponse(dump(kind, row, actor.role), 201, headers={"ETag": etag(row), "Location": location})

    async def change_record(
        *,
        key: str,
        body: changes,  # type: ignore[valid-type]  # made at start
        request: Request,
        actor: Actor,
        database: Database,
        if_match: IfMatch = None,
    ) -> Response:
        row = await _current(request, database, kind, key, actor=actor, if_match=if_match)
        values = body.model_dump(exclude_unset=True)  # type: ignore[attr-defined]  # a model, see the annotation
        row = await context_of(request).store.update(database, kind, row, values, actor)
        await database.commit()
        return JSONResponse(dump(kind, row, actor.role), headers={"ETag": etag(row)})

    async def delete_record(
        *, key: str, request: Request, actor: Actor, database: Database, if_match: IfMatch = None
    ) -> Response:
        row = await _current(request, database, kind, key, actor=actor, if_match=if_match)
        await context_of(request).store.delete(database, kind, row, actor)
        await database.commit()
        return Response(status_code=204)

    known = {"response_model": output, "responses": documented(400, 401, 403, 404, 409, 412, 422)}
    made = {"response_model": output, "responses": documented(400, 401, 403, 409, 422)}
    gone = {"status_code": 204, "responses": documented(401, 403, 404, 412, 422)}
    router.post("", status_code=201, summary=f"Create a {kind.singular}", **made)(create_record)  # type: ignore[arg-type]  # keywords
    router.patch("/{key}", summary=f"Change a {kind.singular}", **known)(change_record)  # type: ignore[arg-type]  # keywords
    router.delete("/{key}", summary=f"Delete a {kind.singular}", **gone)(delete_record)  # type: ignore[arg-type]  # keywords


async def _current(
    request: Request, database: AsyncSession, kind: RecordKind, key: str, *, actor: WebActor, if_match: str | None
) -> Any:
    """Return the row, locked until the end of the transaction, as the caller knows it. Raises StaleRecordError."""
    may_read(kind, actor)
    row = await context_of(request).store.get(database, kind, key)
    await database.refresh(row, with_for_update=True)
    if if_match not in (None, "*", etag(row)):
        raise StaleRecordError(f"The {kind.singular} was changed since you read it. Read it again.")
    return row


def _order(kind: RecordKind) -> Sequence[Any]:
    columns = kind.row.__mapper__.columns
    return [columns[name] for name in kind.listed_by or (kind.key,)]

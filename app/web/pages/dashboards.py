"""The preview of a dashboard, and the order of its components beside it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.bot.domain.components.variables import MAX_VARIABLES
from app.definitions.actors import WebActor
from app.definitions.inputs import MAX_ID
from app.definitions.kinds.components import COMPONENTS
from app.shared.database.models import ComponentTypeRow, DashboardComponentRow
from app.web.context import actor_of_request, context_of, database_of
from app.web.pages.home import dashboards_shown
from app.web.pages.render import pages_of
from app.web.preview.builder import VARIABLE_PREFIX, Preview

router = APIRouter(include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
Actor = Annotated[WebActor, Depends(actor_of_request)]
Page = Annotated[str | None, Query(max_length=100)]


@router.get("/dashboards/{dashboard_id}")
async def show_dashboard(
    dashboard_id: int, request: Request, database: Database, actor: Actor, page: Page = None
) -> Response:
    """Return the message as Discord shows it, and what it is made of."""
    preview = await _preview(request, dashboard_id, page)
    shown = await dashboards_shown(database, dashboard_id)
    values = {
        "title": preview.dashboard.name,
        "preview": preview,
        "message": _message(request, preview),
        "shown": shown[0],
        "components": await _components(database, dashboard_id),
        "titles": await _type_titles(database),
        "may_edit": actor.may(COMPONENTS.writer),
    }
    return pages_of(request).render(request, "pages/dashboard.html", values)


@router.get("/dashboards/{dashboard_id}/message")
async def show_message(dashboard_id: int, request: Request, page: Page = None) -> Response:
    """Return the message alone: what the page fetches to stay live, and when another page is chosen."""
    preview = await _preview(request, dashboard_id, page)
    return HTMLResponse(_message(request, preview))


@router.post("/dashboards/{dashboard_id}/order")
async def set_order(
    dashboard_id: int,
    request: Request,
    database: Database,
    actor: Actor,
    component: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Give the components the order in which they were sent; those that were not sent follow."""
    rows = {row.id: row for row in await _components(database, dashboard_id)}
    wanted = [rows.pop(key) for key in dict.fromkeys(component or ()) if key in rows]
    store = context_of(request).store
    for position, row in enumerate([*wanted, *rows.values()]):
        if row.position != position:
            await store.move(database, row, position, actor)
    await database.commit()
    if request.headers.get("hx-request"):
        preview = await _preview(request, dashboard_id, None)
        return HTMLResponse(_message(request, preview))
    return RedirectResponse(f"/dashboards/{dashboard_id}", 303)


async def _preview(request: Request, dashboard_id: int, page: str | None) -> Preview:
    if not 0 < dashboard_id <= MAX_ID:
        raise HTTPException(404)
    try:
        return await context_of(request).preview.build(dashboard_id, page, _chosen(request))
    except LookupError:
        raise HTTPException(404) from None


def _chosen(request: Request) -> dict[str, list[str]]:
    """Values of variables in the address: ?var.host=nas."""
    names = [name for name in request.query_params if name.startswith(VARIABLE_PREFIX)][:MAX_VARIABLES]
    return {name.removeprefix(VARIABLE_PREFIX): request.query_params.getlist(name) for name in names}


def _message(request: Request, preview: Preview) -> str:
    environment = pages_of(request).environment
    return environment.get_template("preview/message.html").render(preview=preview, view=preview.view, request=request)  # type: ignore[no-any-return]  # jinja2 is untyped here


async def _components(database: AsyncSession, dashboard_id: int) -> list[DashboardComponentRow]:
    statement = (
        select(DashboardComponentRow)
        .where(DashboardComponentRow.dashboard_id == dashboard_id)
        .order_by(DashboardComponentRow.position, DashboardComponentRow.id)
    )
    return list(await database.scalars(statement))


async def _type_titles(database: AsyncSession) -> dict[str, str]:
    rows = await database.execute(select(ComponentTypeRow.name, ComponentTypeRow.title))
    return {name: title or name for name, title in rows}

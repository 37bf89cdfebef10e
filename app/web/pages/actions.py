"""Running an action from the web admin, and how a run goes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.bot.domain.actions.runs import RunState
from app.definitions.actors import WebActor
from app.definitions.errors import InvalidRecordError, RoleTooLowError, RunRefusedError
from app.definitions.kinds.actions import ACTIONS
from app.definitions.kinds.logs import ACTION_RUNS
from app.shared.database.models import ActionRow, ActionRunRow
from app.web.context import actor_of_request, context_of, database_of
from app.web.pages.render import pages_of

router = APIRouter(include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
Actor = Annotated[WebActor, Depends(actor_of_request)]
_PREFIX = "p."
_RUNS_SHOWN = 10


@router.get("/actions/{key}")
async def show_action(key: str, request: Request, database: Database, actor: Actor) -> Response:
    """Return the form, and the last runs."""
    action: ActionRow = await context_of(request).store.get(database, ACTIONS, key)
    return await _page(request, database, actor, action, given={})


@router.post("/actions/{key}")
async def run_action(key: str, request: Request, database: Database, actor: Actor) -> Response:
    """Run it with what was entered, and go to the page that follows the run."""
    context = context_of(request)
    action: ActionRow = await context.store.get(database, ACTIONS, key)
    form = await request.form()
    given = {name.removeprefix(_PREFIX): str(value) for name, value in form.items() if name.startswith(_PREFIX)}
    try:
        row = await context.action_runs.ask(database, action, given, actor, dry_run="dry_run" in form)
    except RoleTooLowError:
        await database.commit()
        raise
    except (InvalidRecordError, RunRefusedError) as error:
        said = "; ".join(one.message for one in error.errors) if isinstance(error, InvalidRecordError) else str(error)
        await database.commit()
        return await _page(request, database, actor, action, given=given, error=said)
    await database.commit()
    return RedirectResponse(f"/action-runs/{row.id}", 303)


@router.get("/action-runs/{key}")
async def show_run(key: str, request: Request, database: Database, actor: Actor) -> Response:
    """How a run goes; the page fetches its state until it is over."""
    row = await _run(request, database, actor, key)
    action = await database.scalar(select(ActionRow).where(ActionRow.name == row.action))
    values = {"title": action.title or row.action if action else row.action, "run": row, "action": action}
    return pages_of(request).render(request, "pages/action_run.html", {**values, "is_over": _is_over(row)})


@router.get("/action-runs/{key}/state")
async def show_state(key: str, request: Request, database: Database, actor: Actor) -> Response:
    """Return the run alone."""
    row = await _run(request, database, actor, key)
    template = pages_of(request).environment.get_template("preview/action_run.html")
    return HTMLResponse(template.render(run=row, is_over=_is_over(row), request=request))


async def _run(request: Request, database: AsyncSession, actor: WebActor, key: str) -> ActionRunRow:
    if not actor.may(ACTION_RUNS.reader):
        raise HTTPException(403)
    row: ActionRunRow = await context_of(request).store.get(database, ACTION_RUNS, key)
    return row


def _is_over(row: ActionRunRow) -> bool:
    return RunState(row.state).is_over


async def _page(
    request: Request,
    database: AsyncSession,
    actor: WebActor,
    action: ActionRow,
    *,
    given: dict[str, Any],
    error: str = "",
) -> Response:
    if not actor.may(ACTIONS.writer):
        raise HTTPException(403)
    statement = select(ActionRunRow).where(ActionRunRow.action == action.name).order_by(ActionRunRow.id.desc())
    runs = list(await database.scalars(statement.limit(_RUNS_SHOWN)))
    try:
        form = await context_of(request).action_runs.form(database, action)
    except InvalidRecordError as problem:
        form, error = None, str(problem)
    values = {"title": action.title or action.name, "action": action, "form": form, "given": given}
    status = 422 if error else 200
    return pages_of(request).render(request, "pages/action.html", {**values, "runs": runs, "error": error}, status)

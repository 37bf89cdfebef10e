"""Running actions through the REST API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.definitions.errors import RecordError
from app.definitions.kinds.actions import ACTIONS
from app.definitions.kinds.logs import ACTION_RUNS
from app.definitions.outputs import dump, output_model
from app.web.api.problems import documented
from app.web.api.records import Actor, Database
from app.web.context import context_of

router = APIRouter(tags=["actions"])


class RunInput(BaseModel):
    """Values for the action's parameters."""

    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, str | int | float | bool | None] = Field(
        default_factory=dict, max_length=20, description="Values by the names of the action's parameters"
    )
    dry_run: bool = Field(False, description="Only say what it would do")


@router.post(
    "/actions/{key}/run",
    status_code=202,
    response_model=output_model(ACTION_RUNS),
    summary="Run an action",
    responses=documented(400, 401, 403, 404, 409, 422),
)
async def run(key: str, body: RunInput, request: Request, actor: Actor, database: Database) -> JSONResponse:
    """Ask for a run; read it again at `Location` until its state is done, failed, timed_out or lost."""
    context = context_of(request)
    action: Any = await context.store.get(database, ACTIONS, key)
    try:
        row = await context.action_runs.ask(database, action, body.parameters, actor, dry_run=body.dry_run)
    except RecordError:  # what was refused is a row as well
        await database.commit()
        raise
    await database.commit()
    location = f"/api/v1/action-runs/{row.id}"
    return JSONResponse(dump(ACTION_RUNS, row, actor.role), 202, headers={"Location": location})

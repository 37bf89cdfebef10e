"""What a dashboard shows now, as neutral blocks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app.bot.domain.blocks.block import View
from app.definitions.kinds.dashboards import DASHBOARDS
from app.web.api.problems import documented
from app.web.api.records import Actor, Database
from app.web.context import context_of
from app.web.preview.blocks_json import block_json, problem_json

router = APIRouter(tags=["dashboards"])


class ProblemShown(BaseModel):
    """Something that could not be shown, and why."""

    title: str
    detail: str


class FollowingMessage(BaseModel):
    """A further message of a dashboard that one cannot hold."""

    fingerprint: str
    blocks: list[dict[str, Any]]


class DashboardPreview(BaseModel):
    """A dashboard as Discord will show it. `blocks` are neutral: each has a `kind` and its fields.

    `following` are the further messages, in order, where one cannot hold the dashboard.
    """

    dashboard_id: int
    page: str | None
    pages: list[str]
    fingerprint: str
    blocks: list[dict[str, Any]]
    following: list[FollowingMessage]
    problems: list[ProblemShown]


@router.get(
    "/dashboards/{key}/preview",
    response_model=DashboardPreview,
    summary="Show a dashboard",
    responses=documented(401, 403, 404, 422),
)
async def preview(
    key: str,
    request: Request,
    actor: Actor,
    database: Database,
    page: Annotated[str | None, Query(max_length=100, description="The page to show; its first without it")] = None,
) -> JSONResponse:
    """Built by the same code that the bot uses, from the newest readings."""
    context = context_of(request)
    row = await context.store.get(database, DASHBOARDS, key)
    shown = await context.preview.build(row.id, page)
    return JSONResponse(
        {
            "dashboard_id": row.id,
            "page": shown.page,
            "pages": list(shown.pages),
            **_message(shown.view),
            "following": [_message(view) for view in shown.view.following],
            "problems": [problem_json(problem) for problem in shown.view.problems],
        }
    )


def _message(view: View) -> dict[str, Any]:
    return {"fingerprint": view.fingerprint, "blocks": [block_json(block) for block in view.blocks]}

"""Revisions: every change of a definition, what differs, and the way back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from app.definitions.inputs import MAX_ID
from app.definitions.restoring import Version, restore
from app.definitions.revision_outputs import Revision, RevisionDetails, details_of, summary_of
from app.definitions.revisions import (
    RevisionFilter,
    get_revision,
    select_revisions,
    title,
    without_rows,
)
from app.shared.database.models import RevisionRow
from app.web.api.problems import documented
from app.web.api.records import Actor, Database, Limit, Offset
from app.web.context import context_of

router = APIRouter(prefix="/revisions", tags=["revisions"])
RevisionId = Annotated[int, Path(gt=0, le=MAX_ID)]
Text = Annotated[str | None, Query(max_length=200)]


class RevisionList(BaseModel):
    """Revisions, newest first."""

    items: list[Revision]
    total: int


class RestoreRequest(BaseModel):
    """Which version to restore."""

    model_config = ConfigDict(extra="forbid")

    version: Version = Field(Version.BEFORE, description="The record before this change, or after it")
    newest: Annotated[int, Field(gt=0, le=MAX_ID)] | None = Field(
        None, description="The record's newest revision that you know of: refused when there is a newer one"
    )


class RestoreResult(BaseModel):
    """What a restore did."""

    kind: str
    key: str
    outcome: Literal["created", "changed", "unchanged"]
    parts: int = Field(description="Records that came back with it, such as a dashboard's components")


@router.get("", summary="List revisions", responses=documented(401, 403, 422))
async def list_revisions(
    *,
    actor: Actor,
    database: Database,
    kind: Annotated[str | None, Query(max_length=100, description="Only of this kind, such as dashboards")] = None,
    key: Annotated[str | None, Query(max_length=200, description="Only of the record with this key")] = None,
    dashboard_id: Annotated[
        int | None, Query(gt=0, le=MAX_ID, description="Only of this dashboard and its components")
    ] = None,
    who: Annotated[str | None, Query(alias="actor", max_length=200, description="Part of the actor's name")] = None,
    since: Annotated[datetime | None, Query(description="Not older; without a time zone it is UTC")] = None,
    transaction: Annotated[int | None, Query(gt=0, le=MAX_ID, description="Only of this commit")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> RevisionList:
    """Newest first, without the records before and after: get a revision for these."""
    dashboard = None if dashboard_id is None else str(dashboard_id)
    wanted = RevisionFilter(kind, key, dashboard, who, since, transaction)
    statement = select_revisions(wanted, actor)
    total = await database.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    found = await database.execute(without_rows(statement).add_columns(title()).limit(limit).offset(offset))
    return RevisionList(items=[summary_of(row, name) for row, name in found], total=total or 0)


@router.get("/{revision_id}", summary="Get a revision", responses=documented(401, 403, 404, 422))
async def show_revision(revision_id: RevisionId, actor: Actor, database: Database) -> RevisionDetails:
    """With what differs, field by field."""
    row = await get_revision(database, revision_id, actor)
    name = await database.scalar(select(title()).where(RevisionRow.id == row.id))
    return details_of(row, name or "")


@router.post(
    "/{revision_id}/restore",
    summary="Restore from a revision",
    responses=documented(400, 401, 403, 404, 405, 409, 412, 422),
)
async def restore_revision(
    revision_id: RevisionId, request: Request, actor: Actor, database: Database, body: RestoreRequest | None = None
) -> RestoreResult:
    """Return the record gets back what it was; a deleted one comes back with its key, a dashboard with its components.

    It is checked as if it were entered now, and refused if it is not valid anymore. Restoring is a revision itself.
    """
    asked = body or RestoreRequest()
    row = await get_revision(database, revision_id, actor)
    done = await restore(database, context_of(request).store, row, asked.version, actor, newest=asked.newest)
    await database.commit()
    return RestoreResult(kind=done.kind.name, key=done.key, outcome=done.outcome, parts=done.parts)

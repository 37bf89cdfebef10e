"""Config as code by the REST API: all definitions as YAML, and a document applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from app.definitions.actors import WebActor
from app.definitions.errors import FieldError, RecordNotFoundError, RoleTooLowError
from app.definitions.files.applying import apply_documents
from app.definitions.files.documents import Document, read_document
from app.definitions.files.entries import UnknownNameError
from app.definitions.files.exporting import one_file, read_definitions
from app.definitions.files.plan import Change, Plan
from app.definitions.files.problems import ConfigurationError, MeanwhileChangedError, Problem
from app.definitions.roles import Role
from app.shared.differences import ABSENT
from app.web.api.problems import documented, problem
from app.web.api.records import Actor, Database
from app.web.context import context_of

router = APIRouter(tags=["configuration"])
_MEDIA_TYPE = "application/yaml"
_DOCUMENT = {"schema": {"type": "object"}}
_DOCUMENT_NAME = "document"


class ChangedField(BaseModel):
    """One field that changes; null on the side where it is not there."""

    field: str
    before: Any = None
    after: Any = None


class PlannedChange(BaseModel):
    """One record that changes. Values that could be secrets are hidden."""

    verb: Literal["add", "change", "remove", "shift"]
    section: str
    subject: str
    fields: list[ChangedField]


class AppliedPlan(BaseModel):
    """What was changed, or would be."""

    dry_run: bool
    changes: list[PlannedChange]
    prunable: list[PlannedChange] = Field(description="Not in the document; prune would remove them")
    unchanged: int
    missing_secrets: list[str] = Field(description="Needed, and not in the database yet")


@router.get(
    "/export",
    summary="All definitions as YAML",
    response_class=PlainTextResponse,
    responses={200: {"content": {_MEDIA_TYPE: _DOCUMENT}}, **documented(401, 403, 404, 422)},
)
async def export(
    actor: Actor,
    database: Database,
    guild: Annotated[str | None, Query(max_length=100, description="Only this server's: its id or name")] = None,
) -> PlainTextResponse:
    """Return what `homelab export` prints. It holds no secrets, only their names."""
    _require_admin(actor)
    try:
        definitions = await read_definitions(database, guild)
    except UnknownNameError as error:
        raise RecordNotFoundError(str(error)) from error
    text = await anyio.to_thread.run_sync(one_file, definitions)
    return PlainTextResponse(text, media_type=_MEDIA_TYPE)


@router.post(
    "/apply",
    response_model=AppliedPlan,
    summary="Apply a YAML document",
    responses=documented(401, 403, 409, 422),
    openapi_extra={"requestBody": {"required": True, "content": {_MEDIA_TYPE: _DOCUMENT}}},
)
async def apply(
    request: Request,
    actor: Actor,
    dry_run: Annotated[bool, Query(description="Only say what would change")] = False,
    prune: Annotated[bool, Query(description="Also remove what the document is about and does not have")] = False,
) -> JSONResponse:
    """Return what `homelab apply` does, with one document; it can include no files and knows no environment."""
    _require_admin(actor)
    body = await request.body()
    context = context_of(request)
    try:
        document = await anyio.to_thread.run_sync(_read, body)
        plan = await apply_documents(
            context.sessions,
            context.store,
            replace(actor, note="apply"),
            [document],
            prune=prune,
            dry_run=dry_run,
        )
    except ConfigurationError as error:
        fields = tuple(FieldError(found.field, _said(found)) for found in error.problems)
        return problem(422, "Not valid", f"{len(fields)} problems; nothing was changed", fields)
    except MeanwhileChangedError as error:
        return problem(409, "Changed meanwhile", str(error))
    return JSONResponse(_applied(plan, dry_run=dry_run).model_dump(mode="json"))


def _read(body: bytes) -> Document:
    return read_document(body.decode("utf-8-sig", "replace"), _DOCUMENT_NAME)


def _said(found: Problem) -> str:
    return f"line {found.place.line}: " + ": ".join(part for part in (found.subject, found.message) if part)


def _applied(plan: Plan, *, dry_run: bool) -> AppliedPlan:
    return AppliedPlan(
        dry_run=dry_run,
        changes=[_planned(change) for change in plan.changes],
        prunable=[_planned(change) for change in plan.prunable],
        unchanged=plan.unchanged,
        missing_secrets=list(plan.missing_secrets),
    )


def _planned(change: Change) -> PlannedChange:
    fields = [
        ChangedField(field=found.path, before=_value(found.before), after=_value(found.after))
        for found in change.differences
    ]
    return PlannedChange(verb=change.verb.value, section=change.section, subject=change.subject, fields=fields)


def _value(value: Any) -> Any:
    return None if value is ABSENT else value


def _require_admin(actor: WebActor) -> None:
    if not actor.may(Role.ADMIN):
        raise RoleTooLowError("Only users with the role admin may export and apply all definitions.")

"""Schemas for the form editor of configs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.bot.domain.dashboards.dashboard import Layout
from app.definitions.errors import RecordNotFoundError
from app.definitions.form_schema import form_schema
from app.definitions.integrations import whole_schema
from app.definitions.kinds import KINDS
from app.web.context import context_of, database_of

router = APIRouter(include_in_schema=False)


@router.get("/forms/{kind}/{name}")
async def schema_of(
    kind: str, name: str, request: Request, database: Annotated[AsyncSession, Depends(database_of)]
) -> JSONResponse:
    """Return the schema of a type's config, fit for the editor, and what the type is."""
    if (kind, name) == ("dashboards", "layout"):
        return JSONResponse({"description": "", "schema": form_schema(Layout.model_json_schema())})
    known = KINDS.get(kind)
    if known is None or "config_schema" not in known.columns:
        raise HTTPException(404)
    try:
        row = await context_of(request).store.get(database, known, name)
    except RecordNotFoundError:
        raise HTTPException(404) from None
    found = {"description": row.description, "schema": form_schema(whole_schema(row))}
    definition = getattr(row, "definition", None)
    if isinstance(definition, dict) and isinstance(definition.get("interval_seconds"), (int, float)):
        found["interval"] = definition["interval_seconds"]
    return JSONResponse(found)

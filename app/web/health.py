"""/healthz: is the database there, does the schema fit, and when was the bot last seen."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse

from app.shared.database.core.connection import CONNECTION_LOST
from app.shared.database.core.migrate import compare
from app.web.context import context_of
from app.web.heartbeat import STALE_AFTER, heartbeat_age

router = APIRouter(include_in_schema=False)
_SECONDS = 5.0


@router.get("/healthz")
async def health(request: Request) -> JSONResponse:
    """200 while the web admin can work, 503 otherwise. A bot that is away is told, but is not this program's health."""
    try:
        async with asyncio.timeout(_SECONDS), context_of(request).sessions() as database:
            schema, current = await _schema(database)
            age = await heartbeat_age(database) if current else None
    except (SQLAlchemyError, *CONNECTION_LOST):
        return JSONResponse({"status": "unavailable", "database": "unreachable"}, 503)
    bot = "never seen" if age is None else "ok" if age < STALE_AFTER.total_seconds() else "not seen lately"
    return JSONResponse(
        {
            "status": "ok" if current else "unavailable",
            "database": "ok",
            "schema": schema,
            "bot": {"status": bot, "last_seen_seconds_ago": None if age is None else round(age, 1)},
        },
        200 if current else 503,
    )


async def _schema(database: AsyncSession) -> tuple[str, bool]:
    exists = await database.scalar(text("SELECT to_regclass('alembic_version')"))
    revision = await database.scalar(text("SELECT version_num FROM alembic_version")) if exists else None
    status = await asyncio.to_thread(compare, revision)
    if status.up_to_date:
        return "current", True
    return ("out of date, run: homelab db upgrade" if status.known else "newer than this program"), False

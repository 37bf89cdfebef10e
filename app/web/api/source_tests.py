"""Trying out a data source through the REST API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.definitions import audit
from app.definitions.errors import RoleTooLowError
from app.definitions.inputs import Config, Name
from app.definitions.kinds.data_sources import DATA_SOURCES
from app.web.api.problems import documented
from app.web.api.records import Actor, Database
from app.web.context import context_of
from app.web.source_tests import LONGEST_SECONDS, SourceTestRequest, run_source_test

router = APIRouter(tags=["data-sources"])


class SourceTestInput(BaseModel):
    """A data source that need not be stored."""

    model_config = ConfigDict(extra="forbid")

    type: Name = Field(description="Name of a data source type")
    config: Config = Field(default_factory=dict, description="As the type's schema says; secrets as ${secret:name}")
    timeout_seconds: float = Field(10, gt=0, le=LONGEST_SECONDS, description="Seconds the reading may take")


class SourceTestResult(BaseModel):
    """What the bot saw. `error` says why there is no reading."""

    error: str | None = None
    reading: dict[str, Any] | None = None
    requests: list[dict[str, Any]] = Field(default_factory=list)
    answers: dict[str, str] = Field(default_factory=dict)
    missing: dict[str, str] = Field(default_factory=dict)


@router.post("/data-sources/test", summary="Try out a data source", responses=documented(400, 401, 403, 422))
async def test(body: SourceTestInput, request: Request, actor: Actor, database: Database) -> SourceTestResult:
    """The bot reads it once and tells everything it saw. Nothing is stored."""
    if not actor.may(DATA_SOURCES.writer):
        raise RoleTooLowError(f"Only users with the role {DATA_SOURCES.writer} may test data sources.")
    audit.record(database, actor, "data-sources.test", body.type)
    await database.commit()
    found = await run_source_test(
        context_of(request).sessions, actor, SourceTestRequest(body.type, body.config, body.timeout_seconds)
    )
    return SourceTestResult.model_validate(found)

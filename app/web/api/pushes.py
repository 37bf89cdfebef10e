"""Making the address of a push source through the REST API."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.definitions import audit
from app.definitions.errors import FieldError, InvalidRecordError, RoleTooLowError
from app.definitions.kinds.data_sources import DATA_SOURCES
from app.shared.database.models import DataSourceRow
from app.web.api.problems import documented
from app.web.api.records import Actor, Database
from app.web.context import context_of
from app.web.pushes import TYPE, make_address

router = APIRouter(tags=["data-sources"])


class PushAddress(BaseModel):
    """Where to call. It is shown this once."""

    path: str = Field(description="Below the address of the web admin, such as /push/hlp_…")


@router.post(
    "/data-sources/{key}/push-address",
    status_code=201,
    summary="Make the address that a push source is called at",
    responses=documented(401, 403, 404, 422),
)
async def make(key: str, request: Request, actor: Actor, database: Database) -> PushAddress:
    """Return a new address; the one before stops to work."""
    if not actor.may(DATA_SOURCES.writer):
        raise RoleTooLowError(f"Only users with the role {DATA_SOURCES.writer} may make addresses.")
    source: DataSourceRow = await context_of(request).store.get(database, DATA_SOURCES, key)
    if source.type != TYPE:
        raise InvalidRecordError([FieldError("type", f"must be {TYPE}: no other data source is called")])
    path = await make_address(database, source)
    audit.record(database, actor, "data-sources.push_address", source.name)
    await database.commit()
    return PushAddress(path=path)

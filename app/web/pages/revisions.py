"""The history of definitions: what was changed by whom, what differed, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlalchemy import case, null, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.definitions.actors import WebActor
from app.definitions.errors import DuplicateRecordError, InvalidRecordError, RecordError, StaleRecordError
from app.definitions.inputs import MAX_ID
from app.definitions.kinds import KINDS_BY_TABLE
from app.definitions.kinds.components import COMPONENTS
from app.definitions.kinds.dashboards import DASHBOARDS
from app.definitions.restoring import Version, changes_of_restore, restore
from app.definitions.revisions import (
    RevisionFilter,
    get_revision,
    kind_name,
    newest_revision,
    select_revisions,
    shown_differences,
    singular,
    stored_size,
    title,
    without_rows,
)
from app.shared.database.models import RevisionRow
from app.shared.differences import ABSENT, Difference
from app.web.context import actor_of_request, context_of, database_of
from app.web.pages.render import pages_of

router = APIRouter(prefix="/revisions", include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
Actor = Annotated[WebActor, Depends(actor_of_request)]
Text = Annotated[str, Query(max_length=200)]
_PER_PAGE = 25
_SHOWN_IN_LIST = 4
_SHOWN_AT_ALL = 300
_LARGE = 64 * 1024
"""Stored bytes from which on the list does not read a revision's rows."""
_VERBS = {"insert": "made", "update": "changed", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class Line:
    """One difference as a page shows it; `before` None where it was added, `after` None where it was removed."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A revision as a page shows it."""

    row: RevisionRow
    what: str
    name: str
    verb: str
    lines: Sequence[Line]
    more: int
    record: str
    history: str


@router.get("")
async def list_revisions(
    *,
    request: Request,
    database: Database,
    actor: Actor,
    kind: Text = "",
    key: Text = "",
    dashboard: Text = "",
    who: Text = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    restored: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
) -> Response:
    """Newest first, 25 on a page: of everything, of one record, or of a dashboard with its components."""
    wanted = RevisionFilter(kind or None, key or None, dashboard or None, who or None)
    statement = select_revisions(wanted, actor)
    found = await database.execute(
        without_rows(statement)
        .add_columns(title(), _unless_large(RevisionRow.before), _unless_large(RevisionRow.after))
        .offset((page - 1) * _PER_PAGE)
        .limit(_PER_PAGE + 1)
    )
    rows = [_shown(row, name, before, after, most=_SHOWN_IN_LIST) for row, name, before, after in found]
    chosen = {"kind": kind, "key": key, "dashboard": dashboard, "who": who}
    values = {
        "title": "History",
        "revisions": rows[:_PER_PAGE],
        "more": len(rows) > _PER_PAGE,
        "page": page,
        "chosen": chosen,
        "of_record": rows[0] if rows and (key or dashboard) else None,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "kinds": sorted({kind_name(table) for table, known in KINDS_BY_TABLE.items() if known.shape is not None}),
        "restored": restored,
        "now": datetime.now(UTC),
    }
    return pages_of(request).render(request, "pages/revisions.html", values)


@router.get("/{revision_id}")
async def show_revision(revision_id: int, request: Request, database: Database, actor: Actor) -> Response:
    """Return what one change changed, and what else was changed with it."""
    row = await get_revision(database, _possible(revision_id), actor)
    name = await _name(database, row)
    newest = await newest_revision(database, row.table_name, row.row_key)
    same_commit = select_revisions(RevisionFilter(transaction=row.transaction_id), actor)
    others = await database.execute(
        without_rows(same_commit.where(RevisionRow.id != row.id, RevisionRow.at == row.at))
        .add_columns(title())
        .limit(50)
    )
    kind = KINDS_BY_TABLE.get(row.table_name)
    may_restore = kind is not None and kind.shape is not None and actor.may(kind.writer)
    values = {
        "title": "Change",
        "shown": _shown(row, name, row.before, row.after, most=_SHOWN_AT_ALL),
        "others": [_shown(other, other_name, None, None, most=0) for other, other_name in others],
        "unkept": sorted(set(row.fields) - set(row.after or {}) - set(row.before or {})),
        "is_newest": newest is None or newest.id == row.id,
        "may_restore": may_restore,
        "now": datetime.now(UTC),
    }
    return pages_of(request).render(request, "pages/revision.html", values)


@router.get("/{revision_id}/restore")
async def ask(
    revision_id: int, request: Request, database: Database, actor: Actor, version: Version = Version.BEFORE
) -> Response:
    """Return what would change if this version were restored now."""
    row = await get_revision(database, _possible(revision_id), actor)
    return await _question(request, database, row, version)


@router.post("/{revision_id}/restore")
async def restore_version(
    *,
    revision_id: int,
    request: Request,
    database: Database,
    actor: Actor,
    version: Annotated[Version, Form()],
    newest: Annotated[int, Form(gt=0, le=MAX_ID)],
) -> Response:
    """Restore it, unless the record was changed since the question was asked."""
    row = await get_revision(database, _possible(revision_id), actor)
    try:
        done = await restore(database, context_of(request).store, row, version, actor, newest=newest)
        await database.commit()
    except (InvalidRecordError, DuplicateRecordError, StaleRecordError) as error:
        await database.rollback()
        row = await get_revision(database, revision_id, actor)
        return await _question(request, database, row, version, error=error)
    where = {"kind": done.kind.name, "key": done.key, "restored": row.id}
    return RedirectResponse(f"/revisions?{urlencode(where)}", 303)


async def _question(
    request: Request, database: AsyncSession, row: RevisionRow, version: Version, *, error: RecordError | None = None
) -> Response:
    changes = await changes_of_restore(database, context_of(request).store, row, version)
    newest = await newest_revision(database, row.table_name, row.row_key)
    problems = []
    if error is not None:
        problems = [str(one) for one in error.errors] if isinstance(error, InvalidRecordError) else [str(error)]
    values = {
        "title": "Restore",
        "shown": _shown(row, await _name(database, row), None, None, most=0),
        "lines": _lines(changes[:_SHOWN_AT_ALL]),
        "more": max(0, len(changes) - _SHOWN_AT_ALL),
        "gone": bool(changes) and all(change.before is ABSENT for change in changes),
        "version": version.value,
        "newest": row.id if newest is None else newest.id,
        "problems": problems,
        "now": datetime.now(UTC),
    }
    return pages_of(request).render(request, "pages/restore.html", values, 422 if problems else 200)


def _shown(
    row: RevisionRow, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, most: int
) -> Shown:
    found = shown_differences(row.table_name, before, after)
    lines = _lines(found[:most])
    key, kind = row.row_key, kind_name(row.table_name)
    address = f"/dashboards/{key}" if row.table_name == DASHBOARDS.row.__tablename__ else ""
    if row.table_name == COMPONENTS.row.__tablename__:
        address = f"/dashboards/{row.parent_key}"
    elif not address and row.table_name in KINDS_BY_TABLE:
        address = f"/admin/{kind}/detail?{urlencode({'pk': key})}"
    history = f"/revisions?{urlencode({'kind': kind, 'key': key})}"
    what = singular(row.table_name)
    return Shown(row, what, name, _VERBS[row.operation], lines, len(found) - len(lines), address, history)


def _lines(found: Sequence[Difference]) -> list[Line]:
    shown = []
    for difference in found:
        before, after = difference.texts(400)
        absent = (difference.before is ABSENT, difference.after is ABSENT)
        shown.append(Line(difference.path, None if absent[0] else before, None if absent[1] else after))
    return shown


def _unless_large(column: Any) -> Any:
    return case((stored_size() < _LARGE, column), else_=null())


async def _name(database: AsyncSession, row: RevisionRow) -> str:
    return await database.scalar(select(title()).where(RevisionRow.id == row.id)) or ""


def _possible(revision_id: int) -> int:
    """Return an id that there can be; others find nothing."""
    return revision_id if 0 < revision_id <= MAX_ID else MAX_ID

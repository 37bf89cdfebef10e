"""Reads revisions: which there are for whom, and what changed, with whatever could be a secret hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app.definitions.actors import WebActor
from app.definitions.audit import masked
from app.definitions.errors import RecordNotFoundError, RoleTooLowError
from app.definitions.kinds import KINDS, KINDS_BY_TABLE
from app.definitions.kinds.components import COMPONENTS
from app.definitions.kinds.dashboards import DASHBOARDS
from app.definitions.roles import Role
from app.shared.database.models import RevisionRow
from app.shared.differences import ABSENT, Difference, differences
from app.shared.kit.text import is_postgres_safe

READER = Role.EDITOR
"""Who may read revisions: they hold what records had in them, also what a viewer does not see."""
_EARLIEST, _LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_NAMED_BY = ("name", "username", "key", "permission", "type")


@dataclass(frozen=True, slots=True)
class RevisionFilter:
    """Which revisions are wanted; None is any.

    `kind` is a kind's name or a table's. `dashboard` is a dashboard's key, and means it with its components. `actor` is
    a part of a name. `transaction` is that of one commit.
    """

    kind: str | None = None
    key: str | None = None
    dashboard: str | None = None
    actor: str | None = None
    since: datetime | None = None
    transaction: int | None = None


def select_revisions(wanted: RevisionFilter, actor: WebActor) -> Select[RevisionRow]:
    """Return the wanted revisions that the actor may see, newest first. Raises RoleTooLowError."""
    statement = select(RevisionRow).where(_readable(actor)).order_by(RevisionRow.id.desc())
    texts = (wanted.kind, wanted.key, wanted.dashboard, wanted.actor)
    if any(given is not None and not is_postgres_safe(given) for given in texts):
        return statement.where(false())
    if wanted.kind is not None:
        statement = statement.where(RevisionRow.table_name == table_of(wanted.kind))
    if wanted.key is not None:
        statement = statement.where(RevisionRow.row_key == wanted.key)
    if wanted.dashboard is not None:
        statement = statement.where(_of_dashboard(wanted.dashboard))
    if wanted.actor is not None:
        statement = statement.where(RevisionRow.actor_name.icontains(wanted.actor, autoescape=True))
    if wanted.since is not None:
        statement = statement.where(RevisionRow.at >= _moment(wanted.since))
    if wanted.transaction is not None:
        statement = statement.where(RevisionRow.transaction_id == wanted.transaction)
    return statement


def without_rows(statement: Select[RevisionRow]) -> Select[RevisionRow]:
    """Return the statement without the rows before and after, which can be large."""
    return statement.options(defer(RevisionRow.before, raiseload=True), defer(RevisionRow.after, raiseload=True))


def stored_size() -> ColumnElement[int]:
    """Bytes that a revision's rows take, compressed; known without reading them."""
    return func.coalesce(func.pg_column_size(RevisionRow.before), 0) + func.coalesce(
        func.pg_column_size(RevisionRow.after), 0
    )


def title() -> ColumnElement[str]:
    """Return the name of the record that a revision is of, or else its type; read from the row, after or before."""
    row = func.coalesce(RevisionRow.after, RevisionRow.before)
    names = [func.nullif(row.op("->>")(name), "") for name in _NAMED_BY]
    return func.coalesce(*names, "")


async def get_revision(database: AsyncSession, revision_id: int, actor: WebActor) -> RevisionRow:
    """Return the revision. Raises RoleTooLowError, or RecordNotFoundError also for one that the actor may not see."""
    statement = select_revisions(RevisionFilter(), actor).where(RevisionRow.id == revision_id)
    row = await database.scalar(statement)
    if row is None:
        raise RecordNotFoundError(f"There is no revision {revision_id}. It may be too old to be kept.")
    return row


async def newest_revision(database: AsyncSession, table_name: str, row_key: str) -> RevisionRow | None:
    """Return the last change of a record, without its rows."""
    statement = select(RevisionRow).where(RevisionRow.table_name == table_name, RevisionRow.row_key == row_key)
    return await database.scalar(without_rows(statement.order_by(RevisionRow.id.desc()).limit(1)))


def shown_row(table_name: str, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a row as it may be shown."""
    if row is None:
        return None
    shown: dict[str, Any] = masked(row)
    kind = KINDS_BY_TABLE.get(table_name)
    names = {} if kind is None else kind.masked_as(row)
    return {**shown, **{column: masked(row[column], name) for column, name in names.items() if column in row}}


def shown_differences(
    table_name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Difference]:
    """Return what differs, as it may be shown: that a secret changed is seen, and not to what."""
    kind = KINDS_BY_TABLE.get(table_name)
    names = {} if kind is None else kind.masked_as(after or before or {})
    return [
        Difference(found.path, *(_masked_value(found, value, names) for value in (found.before, found.after)))
        for found in differences(_without_dates(before), _without_dates(after))
    ]


def table_of(kind: str) -> str:
    """Return the table of a kind's name; other texts are a table's name already."""
    return KINDS[kind].row.__tablename__ if kind in KINDS else kind


def kind_name(table_name: str) -> str:
    """Return the kind's name in addresses, or the table's where it has no kind."""
    kind = KINDS_BY_TABLE.get(table_name)
    return table_name if kind is None else kind.name


def singular(table_name: str) -> str:
    """Return what one row of the table is called."""
    kind = KINDS_BY_TABLE.get(table_name)
    return table_name.removesuffix("s").replace("_", " ") if kind is None else kind.singular


def _readable(actor: WebActor) -> ColumnElement[bool]:
    """Tables that this actor may read. Those that no kind is made for are the admin's."""
    if not actor.may(READER):
        raise RoleTooLowError(f"Only users with the role {READER} may see revisions.")
    if actor.may(Role.ADMIN):
        return true()
    return RevisionRow.table_name.in_([table for table, kind in KINDS_BY_TABLE.items() if actor.may(kind.reader)])


def _of_dashboard(key: str) -> ColumnElement[bool]:
    itself = and_(RevisionRow.table_name == DASHBOARDS.row.__tablename__, RevisionRow.row_key == key)
    parts = and_(RevisionRow.table_name == COMPONENTS.row.__tablename__, RevisionRow.parent_key == key)
    return or_(itself, parts)


def _masked_value(found: Difference, value: Any, names: Mapping[str, str]) -> Any:
    if value is ABSENT:
        return value
    return masked(value, names.get(found.name) or found.name)


def _without_dates(row: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name != "created_at"}


def _moment(moment: datetime) -> datetime:
    """In UTC, and within what both PostgreSQL and Python can name."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment, _EARLIEST), _LATEST)

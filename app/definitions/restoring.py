"""Restores records from revisions, through the same checks and audit log as any other change. The caller commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.actors import WebActor
from app.definitions.errors import (
    FieldError,
    InvalidRecordError,
    ReadOnlyRecordError,
    RecordNotFoundError,
    StaleRecordError,
)
from app.definitions.kinds import KINDS_BY_TABLE, parts_of
from app.definitions.kinds.base import RecordKind
from app.definitions.revisions import kind_name, newest_revision, shown_differences
from app.definitions.store import RecordStore
from app.shared.database.models import RevisionRow
from app.shared.differences import Difference


class Version(StrEnum):
    """Which of the two rows of a revision."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did; `parts` counts records that came back with it, such as a dashboard's components."""

    kind: RecordKind
    key: str
    outcome: Literal["created", "changed", "unchanged"]
    parts: int = 0


async def restore(
    database: AsyncSession,
    store: RecordStore,
    revision: RevisionRow,
    version: Version,
    actor: WebActor,
    *,
    newest: int | None = None,
) -> Restored:
    """Give a record back the values that it had before or after this revision; a deleted one comes back with its key.

    `newest` is the record's last revision that the actor knows of: StaleRecordError is raised when there is another.
    Also raises what RecordStore raises; an InvalidRecordError names the field that is not valid anymore.
    """
    kind = restorable_kind(revision)
    row = restorable_row(revision, version)
    actor = replace(actor, note=f"restored from revision {revision.id}")
    values = {name: row[name] for name in kind.fields if name in row}
    existing = await current_record(database, store, revision, lock=True)
    if newest is not None:  # asked after the lock: what was committed meanwhile is seen
        await _require_unchanged(database, revision, newest)
    if existing is not None:
        return await _change(database, store, kind, existing, values, actor=actor)
    for field in kind.write_only_fields:
        raise InvalidRecordError([FieldError(field, f"is not kept in revisions; make the {kind.singular} again")])
    key = kind.parse_key(revision.row_key) if kind.key not in kind.fields else None
    await store.create(database, kind, values, actor, key=key)
    parts = await _restore_parts(database, store, kind, revision, actor)
    return Restored(kind, revision.row_key, "created", parts)


async def changes_of_restore(
    database: AsyncSession, store: RecordStore, revision: RevisionRow, version: Version
) -> list[Difference]:
    """Return what a restore would change of the record as it is now, as it may be shown; all of it where it is gone.

    Raises ReadOnlyRecordError and InvalidRecordError as `restore` does.
    """
    kind, row = restorable_kind(revision), restorable_row(revision, version)
    wanted = {name: row[name] for name in kind.fields if name in row}
    existing = await current_record(database, store, revision)
    now = None if existing is None else {name: getattr(existing, name) for name in wanted}
    return shown_differences(revision.table_name, now, wanted)


def restorable_kind(revision: RevisionRow) -> RecordKind:
    """Return the kind of the revision's record. Raises ReadOnlyRecordError where there is none that can be entered."""
    kind = KINDS_BY_TABLE.get(revision.table_name)
    if kind is None or kind.shape is None:
        raise ReadOnlyRecordError(f"Records of {kind_name(revision.table_name)} cannot be restored.")
    return kind


def restorable_row(revision: RevisionRow, version: Version) -> Mapping[str, Any]:
    """Return the row before or after the revision. Raises InvalidRecordError where there is none."""
    row: Mapping[str, Any] | None = revision.before if version is Version.BEFORE else revision.after
    if row is not None:
        return row
    if version is Version.BEFORE:
        message = "is not there: the record was made then. To undo that, delete the record"
    else:
        message = "is not there: the record was deleted then. Restore what was before"
    raise InvalidRecordError([FieldError("version", message)])


async def current_record(
    database: AsyncSession, store: RecordStore, revision: RevisionRow, *, lock: bool = False
) -> Any:
    """Return the record as it is now, or None; locked until the end of the transaction if asked for."""
    kind = restorable_kind(revision)
    try:
        row = await store.get(database, kind, revision.row_key)
    except RecordNotFoundError:
        return None
    if lock:
        await database.refresh(row, with_for_update=True)
    return row


async def _change(
    database: AsyncSession,
    store: RecordStore,
    kind: RecordKind,
    existing: Any,
    values: Mapping[str, Any],
    *,
    actor: WebActor,
) -> Restored:
    before = kind.entered(existing)
    row = await store.update(database, kind, existing, values, actor)
    outcome: Literal["changed", "unchanged"] = "unchanged" if kind.entered(row) == before else "changed"
    return Restored(kind, str(getattr(row, kind.key)), outcome)


async def _restore_parts(
    database: AsyncSession, store: RecordStore, kind: RecordKind, revision: RevisionRow, actor: WebActor
) -> int:
    """Restore what was deleted together with the record; how many records that were."""
    part_kind = parts_of(kind)
    deletion = await _deletion(database, revision)
    if part_kind is None or deletion is None:
        return 0
    statement = select(RevisionRow).where(
        RevisionRow.table_name == part_kind.row.__tablename__,
        RevisionRow.parent_key == deletion.row_key,
        RevisionRow.operation == "delete",
        RevisionRow.transaction_id == deletion.transaction_id,
        RevisionRow.at == deletion.at,
    )
    parts = 0
    for found in await database.scalars(statement.order_by(RevisionRow.id)):
        try:
            restored = await restore(database, store, found, Version.BEFORE, actor)
        except InvalidRecordError as error:
            raise InvalidRecordError(
                FieldError(f"{part_kind.name}.{found.row_key}.{one.field}", one.message) for one in error.errors
            ) from None
        parts += 1 + restored.parts
    return parts


async def _deletion(database: AsyncSession, revision: RevisionRow) -> RevisionRow | None:
    """Return the revision itself if it is a deletion, else the last one of its record."""
    if revision.operation == "delete":
        return revision
    same = (RevisionRow.table_name == revision.table_name, RevisionRow.row_key == revision.row_key)
    statement = select(RevisionRow).where(*same, RevisionRow.operation == "delete")
    return await database.scalar(statement.order_by(RevisionRow.id.desc()).limit(1))


async def _require_unchanged(database: AsyncSession, revision: RevisionRow, newest: int) -> None:
    last = await newest_revision(database, revision.table_name, revision.row_key)
    if last is not None and last.id != newest:
        raise StaleRecordError(f"This was changed meanwhile by {last.actor_name or last.actor_type}. Look at it again.")

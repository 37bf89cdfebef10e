"""Revisions as the REST API and the command line show them. What could be a secret is hidden."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.definitions.revisions import kind_name, shown_differences, shown_row
from app.shared.database.models import RevisionRow
from app.shared.differences import ABSENT, Difference


class Revision(BaseModel):
    """One change of one record."""

    id: int
    at: datetime
    transaction: str = Field(description="The same for all changes of one commit")
    kind: str = Field(description="As in the addresses of the records, or the table's name where they have none")
    key: str
    parent: str | None = Field(description="Key of what the record is part of, such as a component's dashboard")
    name: str = Field(description="What the record was called, or else its type")
    operation: Literal["insert", "update", "delete"]
    fields: list[str] = Field(description="What an update changed, also secret values, which are not kept")
    actor_type: str = Field(description="web, api, cli, bot, catalog; sql is a role of the database")
    actor_id: str
    actor_name: str
    note: str


class FieldDifference(BaseModel):
    """One field that differs. `before` is missing where it was added, `after` where it was removed."""

    path: str = Field(description="Such as config.columns.2.label")
    change: Literal["added", "changed", "removed"]
    before: Any = None
    after: Any = None


class RevisionDetails(Revision):
    """A revision with the record before and after. What could be a secret is hidden."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None
    differences: list[FieldDifference]


def summary_of(row: RevisionRow, name: str) -> Revision:
    """Return what a list says of a revision; `name` is the record's."""
    return Revision(**_summary(row, name))


def details_of(row: RevisionRow, name: str) -> RevisionDetails:
    """All that may be shown of a revision."""
    return RevisionDetails(
        **_summary(row, name),
        before=shown_row(row.table_name, row.before),
        after=shown_row(row.table_name, row.after),
        differences=[_difference(found) for found in shown_differences(row.table_name, row.before, row.after)],
    )


def _summary(row: RevisionRow, name: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "transaction": str(row.transaction_id),
        "kind": kind_name(row.table_name),
        "key": row.row_key,
        "parent": row.parent_key,
        "name": name,
        "operation": row.operation,
        "fields": row.fields,
        "actor_type": row.actor_type,
        "actor_id": row.actor_id,
        "actor_name": row.actor_name,
        "note": row.note,
    }


def _difference(found: Difference) -> FieldDifference:
    sides = {"before": found.before, "after": found.after}
    if found.before is ABSENT:
        return FieldDifference(path=found.path, change="added", after=found.after)
    if found.after is ABSENT:
        return FieldDifference(path=found.path, change="removed", before=found.before)
    return FieldDifference(path=found.path, change="changed", **sides)

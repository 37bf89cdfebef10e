"""A change of a definition, as the database announced it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """A row changed: a hint to reload its aggregate, never the truth itself. `operation` INSERT, UPDATE or DELETE.

    `id` is the row's key as text, None when many or all rows may have changed; `parent` the id of the aggregate that
    the row belongs to (a component's dashboard).
    """

    table: str
    id: str | None
    operation: str = "UPDATE"
    parent: int | None = None

"""The memory of messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import asyncpg

from app.bot.domain.dashboards.placements import DashboardMessage, Placement
from app.bot.domain.records import from_record
from app.bot.domain.repositories import PlacementRepository
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch, storable

_PLACE = """
INSERT INTO dashboard_placements AS old (dashboard_id, channel_id, origin) VALUES ($1, $2, $3)
ON CONFLICT (dashboard_id, channel_id) DO UPDATE SET
  origin = CASE WHEN old.removed THEN excluded.origin ELSE old.origin END,
  removed = false
RETURNING *
"""
_ADD_MESSAGE = """
INSERT INTO dashboard_messages (placement_id, position) VALUES ($1, $2)
ON CONFLICT (placement_id, position) DO UPDATE SET position = excluded.position
RETURNING *
"""


class PostgresPlacements(PlacementRepository):
    """The tables dashboard_placements and dashboard_messages."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[Placement, ...]:
        """Return every placement with its messages."""
        placements = await fetch(self._pool, "SELECT * FROM dashboard_placements ORDER BY id")
        messages = await fetch(self._pool, "SELECT * FROM dashboard_messages ORDER BY position")
        return tuple(_with_messages(placements, messages))

    async def place(self, dashboard_id: int, channel_id: int, origin: str) -> Placement:
        """Insert a placement, or return the one there is with its messages; a removed one is wanted again."""
        placements = await fetch(self._pool, _PLACE, dashboard_id, channel_id, origin)
        messages = await fetch(
            self._pool,
            "SELECT * FROM dashboard_messages WHERE placement_id = $1 ORDER BY position",
            placements[0]["id"],
        )
        (placement,) = _with_messages(placements, messages)
        return placement

    async def add_message(self, placement_id: int, position: int) -> DashboardMessage:
        """Insert a message (state posting), or return the one at this position.

        Raises StorageRefusedError when the placement is gone.
        """
        (record,) = await fetch(self._pool, _ADD_MESSAGE, placement_id, position)
        return from_record(DashboardMessage, record)

    async def save(self, placement: Placement) -> None:
        """Store every mutable field of a placement but its messages; nothing happens when its row is gone."""
        await execute(
            self._pool,
            """
            UPDATE dashboard_placements SET origin = $2, removed = $3, page = $4, variables = $5, problems = $6
            WHERE id = $1
            """,
            placement.id,
            placement.origin,
            placement.removed,
            placement.page,
            dict(placement.variables),
            list(placement.problems),
        )

    async def save_message(self, message: DashboardMessage) -> None:
        """Store every mutable field of a message; nothing happens when its row is gone."""
        await execute(
            self._pool,
            """
            UPDATE dashboard_messages SET state = $2, message_id = $3, content_hash = $4, error = $5, posted_at = $6,
              edited_at = $7
            WHERE id = $1
            """,
            message.id,
            str(message.state),
            message.message_id,
            message.content_hash,
            storable(message.error),
            message.posted_at,
            message.edited_at,
        )

    async def delete(self, placement_id: int) -> None:
        """Forget a placement and its messages."""
        await execute(self._pool, "DELETE FROM dashboard_placements WHERE id = $1", placement_id)

    async def delete_message(self, message_row_id: int) -> None:
        """Forget a message."""
        await execute(self._pool, "DELETE FROM dashboard_messages WHERE id = $1", message_row_id)


def _with_messages(placements: Iterable[asyncpg.Record], messages: Iterable[asyncpg.Record]) -> Iterable[Placement]:
    found: dict[int, list[DashboardMessage]] = defaultdict(list)
    for record in messages:
        message = from_record(DashboardMessage, record)
        found[message.placement_id].append(message)
    return [from_record(Placement, record, messages=tuple(found[record["id"]])) for record in placements]

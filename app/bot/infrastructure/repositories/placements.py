"""The memory of messages."""

from __future__ import annotations

from app.bot.domain.dashboards.placements import Placement
from app.bot.domain.records import from_record
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch, storable

_PLACE = """
INSERT INTO dashboard_messages AS old (dashboard_id, channel_id, position, origin, state)
VALUES ($1, $2, $4, $3, 'posting')
ON CONFLICT (dashboard_id, channel_id, position) DO UPDATE SET
  state = CASE WHEN old.state = 'posted' THEN old.state ELSE 'posting' END,
  origin = CASE WHEN old.state = 'removed' THEN excluded.origin ELSE old.origin END,
  message_id = CASE WHEN old.state <> 'removed' THEN old.message_id END,
  content_hash = CASE WHEN old.state <> 'removed' THEN old.content_hash END,
  error = NULL
RETURNING *
"""


class PostgresPlacements:
    """Fulfils PlacementRepository on the table dashboard_messages."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[Placement, ...]:
        """Every placement."""
        records = await fetch(self._pool, "SELECT * FROM dashboard_messages ORDER BY id")
        return tuple(from_record(Placement, record) for record in records)

    async def place(self, dashboard_id: int, channel_id: int, origin: str, position: int = 0) -> Placement:
        """Insert the placement, or return the one there is; a removed one is wanted again, without its old message.

        Raises StorageRefusedError when the dashboard was deleted meanwhile.
        """
        (record,) = await fetch(self._pool, _PLACE, dashboard_id, channel_id, origin, position)
        return from_record(Placement, record)

    async def save(self, placement: Placement) -> None:
        """Store every mutable field; nothing happens when the row is gone."""
        await execute(
            self._pool,
            """
            UPDATE dashboard_messages SET origin = $2, state = $3, message_id = $4, content_hash = $5, page = $6,
              problems = $7, error = $8, posted_at = $9, edited_at = $10, variables = $11
            WHERE id = $1
            """,
            placement.id,
            placement.origin,
            str(placement.state),
            placement.message_id,
            placement.content_hash,
            placement.page,
            list(placement.problems),
            storable(placement.error),
            placement.posted_at,
            placement.edited_at,
            dict(placement.variables),
        )

    async def delete(self, placement_id: int) -> None:
        """Forget a placement."""
        await execute(self._pool, "DELETE FROM dashboard_messages WHERE id = $1", placement_id)

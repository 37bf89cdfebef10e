"""What was called from outside; the web admin writes it."""

from __future__ import annotations

from app.bot.domain.readings.pushes import Push, PushRepository
from app.bot.infrastructure.repositories.postgres import Pool, fetch

_NEWEST = """
SELECT called_at IS NOT NULL AS called, calls, status, message, metrics,
    extract(epoch FROM now() - coalesce(called_at, pushes.created_at))::double precision AS waited_seconds
FROM pushes JOIN data_sources ON data_sources.id = pushes.data_source_id
WHERE data_sources.name = $1
"""


class PostgresPushes(PushRepository):
    """Calls from outside in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def newest(self, source: str) -> Push | None:
        """Return the newest call. Raises what reading the table raises."""
        records = await fetch(self._pool, _NEWEST, source)
        if not records:
            return None
        record = records[0]
        return Push(
            record["called"],
            max(0.0, record["waited_seconds"]),
            record["calls"],
            record["status"],
            record["message"],
            record["metrics"],
        )

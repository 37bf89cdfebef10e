"""The audit log and the runs of actions, as one list."""

from __future__ import annotations

from collections.abc import Sequence

from app.bot.domain.actions.audit_trail import PAGE_SIZE, AuditFilter, AuditLine
from app.bot.domain.records import from_record
from app.bot.domain.repositories import AuditTrailRepository
from app.bot.infrastructure.repositories.postgres import Pool, fetch

# Runs of actions write no line of the audit log: each thing is in one of the two.
_FIND = """
SELECT * FROM (
    SELECT requested_at AS at, user_id, user_name, 'action.run' AS action, action AS target, state AS outcome,
           channel_id, parameters, result, duration_seconds
    FROM action_runs WHERE guild_id = $1
    UNION ALL
    SELECT at, actor_id, actor_name, action, target, outcome, NULL, detail, '', NULL
    FROM audit_log WHERE guild_id = $1
) AS trail
WHERE ($2::text IS NULL OR user_id = $2)
  AND ($3 = '' OR target = $3 OR action = $3)
  AND ($4 = '' OR outcome = $4)
  AND ($5::timestamptz IS NULL OR at >= $5)
ORDER BY at DESC
LIMIT $6 OFFSET $7
"""


class PostgresAuditTrail(AuditTrailRepository):
    """Runs and other decisions in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, wanted: AuditFilter, limit: int) -> Sequence[AuditLine]:
        """Return the newest lines first."""
        records = await fetch(
            self._pool,
            _FIND,
            wanted.guild_id,
            None if wanted.user_id is None else str(wanted.user_id),
            wanted.action,
            wanted.outcome,
            wanted.since,
            limit,
            (wanted.page - 1) * PAGE_SIZE,
        )
        return [from_record(AuditLine, record) for record in records]

"""The audit log."""

from __future__ import annotations

from app.bot.domain.guilds import AuditEntry
from app.bot.domain.repositories import AuditRepository
from app.bot.infrastructure.repositories.postgres import Pool, execute, storable


class PostgresAudit(AuditRepository):
    """The audit log in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record(self, entry: AuditEntry) -> None:
        """Append one line."""
        await execute(
            self._pool,
            """
            INSERT INTO audit_log (actor_type, actor_id, actor_name, guild_id, action, target, outcome, detail)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            entry.actor_type,
            storable(entry.actor_id),
            storable(entry.actor_name),
            entry.guild_id,
            entry.action,
            storable(entry.target),
            entry.outcome,
            dict(entry.detail),
        )

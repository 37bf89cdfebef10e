"""Running bot processes."""

from __future__ import annotations

from app.bot.domain.guilds import BotInstance
from app.bot.domain.repositories import BotInstanceRepository
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch


class PostgresBotInstances(BotInstanceRepository):
    """Processes of the bot in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def heartbeat(self, instance: BotInstance) -> None:
        """Insert or refresh the row of this process, and forget processes not seen for a week."""
        await execute(
            self._pool,
            """
            INSERT INTO bot_instances (id, application_id, hostname, pid, version, started_at, last_seen_at,
              latency_seconds, guild_count, command_hash, shard_ids, metrics)
            VALUES ($1::uuid, $2, $3, $4, $5, $6, now(), $7, $8, $9, $10, $11)
            ON CONFLICT (id) DO UPDATE SET application_id = excluded.application_id, last_seen_at = now(),
              latency_seconds = excluded.latency_seconds, guild_count = excluded.guild_count,
              command_hash = excluded.command_hash, shard_ids = excluded.shard_ids, metrics = excluded.metrics
            """,
            instance.id,
            instance.application_id,
            instance.hostname,
            instance.pid,
            instance.version,
            instance.started_at,
            instance.latency_seconds,
            instance.guild_count,
            instance.command_hash,
            list(instance.shard_ids),
            dict(instance.metrics),
        )
        await execute(self._pool, "DELETE FROM bot_instances WHERE last_seen_at < now() - interval '7 days'")

    async def command_hash(self, application_id: int) -> str | None:
        """Return the digest of the commands that were last synced for this application, by any instance."""
        records = await fetch(
            self._pool,
            """
            SELECT command_hash FROM bot_instances WHERE application_id = $1 AND command_hash IS NOT NULL
            ORDER BY last_seen_at DESC LIMIT 1
            """,
            application_id,
        )
        return records[0]["command_hash"] if records else None

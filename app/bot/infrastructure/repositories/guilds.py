"""Guilds, and the channels seen in them."""

from __future__ import annotations

from collections.abc import Sequence

from app.bot.domain.guilds import Channel, Guild
from app.bot.domain.records import from_record
from app.bot.domain.repositories import GuildRepository
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch, storable

# One statement, so that guild and channels are seen together or not at all.
_SEEN = """
WITH guild AS (
  INSERT INTO guilds (id, name, last_seen_at) VALUES ($1, $6, now())
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, last_seen_at = excluded.last_seen_at
), seen AS (
  SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[]) AS seen(id, name, type, position)
), gone AS (
  DELETE FROM discord_channels WHERE guild_id = $1 AND id NOT IN (SELECT id FROM seen)
)
INSERT INTO discord_channels (id, guild_id, name, type, position, last_seen_at)
SELECT id, $1, name, type, position, now() FROM seen
ON CONFLICT (id) DO UPDATE SET guild_id = excluded.guild_id, name = excluded.name, type = excluded.type,
  position = excluded.position, last_seen_at = excluded.last_seen_at
"""


class PostgresGuilds(GuildRepository):
    """Guilds and their channels in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[Guild, ...]:
        """Every guild."""
        return tuple(
            from_record(Guild, record) for record in await fetch(self._pool, "SELECT * FROM guilds ORDER BY id")
        )

    async def seen(self, guild_id: int, name: str, channels: Sequence[Channel]) -> None:
        """Remember that the bot is in a guild, and replace the list of its text channels.

        That it was seen again is no change of the definition, and no one is told; a new name is.
        """
        different = {channel.id: channel for channel in channels}
        await execute(
            self._pool,
            _SEEN,
            guild_id,
            list(different),
            [storable(channel.name) for channel in different.values()],
            [channel.type for channel in different.values()],
            [channel.position for channel in different.values()],
            storable(name),
        )

"""Data sources, and what their polls gave."""

from __future__ import annotations

from collections.abc import Sequence

from app.bot.domain.records import from_record
from app.bot.domain.sources import DataSource, SourceState
from app.bot.infrastructure.repositories.reading import Pool, StorageRefusedError, execute, fetch, storable

# Sources deleted while their states waited are left out by the join instead of failing the whole batch.
_SAVE_STATES = """
INSERT INTO source_states AS old
  (data_source_id, status, message, reading, error, polled_at, duration_seconds, changed_at)
SELECT new.id, new.status, new.message, new.reading, new.error, new.polled_at, new.duration, new.polled_at
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::timestamptz[], $7::float8[])
  AS new(id, status, message, reading, error, polled_at, duration)
JOIN data_sources ON data_sources.id = new.id
ON CONFLICT (data_source_id) DO UPDATE SET
  status = excluded.status, message = excluded.message, reading = excluded.reading, error = excluded.error,
  polled_at = excluded.polled_at, duration_seconds = excluded.duration_seconds,
  changed_at = CASE WHEN old.status = excluded.status THEN old.changed_at ELSE excluded.changed_at END
"""


class PostgresDataSources:
    """Fulfils DataSourceRepository."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[DataSource, ...]:
        """Every data source."""
        records = await fetch(self._pool, "SELECT * FROM data_sources ORDER BY id")
        return tuple(from_record(DataSource, record) for record in records)

    async def save_states(self, states: Sequence[SourceState]) -> None:
        """Write the newest state of each source (the last one given) in one statement."""
        newest = list({state.data_source_id: state for state in states}.values())
        if not newest:
            return
        columns = (
            [state.data_source_id for state in newest],
            [str(state.status) for state in newest],
            [storable(state.message) for state in newest],
            [state.reading.to_json() if state.reading else None for state in newest],
            [storable(state.error) for state in newest],
            [state.polled_at for state in newest],
            [state.duration_seconds for state in newest],
        )
        try:
            await execute(self._pool, _SAVE_STATES, *columns)
        except StorageRefusedError:  # a source was deleted at this very moment; now the join leaves it out
            await execute(self._pool, _SAVE_STATES, *columns)

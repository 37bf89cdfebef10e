"""Data sources, and what their polls gave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from app.bot.domain.readings.source import DataSource, SourceState
from app.bot.domain.records import from_record
from app.bot.infrastructure.repositories.postgres import Pool, StorageRefusedError, execute, fetch, storable
from app.shared.database.core.connection import encode_json

# Sources deleted while their states waited are left out by the join instead of failing the whole batch.
_SAVE_STATES = """
INSERT INTO source_states AS old
  (data_source_id, status, message, reading, error, polled_at, duration_seconds, changed_at)
SELECT new.id, new.status, new.message, new.reading::jsonb, new.error, new.polled_at, new.duration, new.polled_at
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::float8[])
  AS new(id, status, message, reading, error, polled_at, duration)
JOIN data_sources ON data_sources.id = new.id
ON CONFLICT (data_source_id) DO UPDATE SET
  status = excluded.status, message = excluded.message, reading = excluded.reading, error = excluded.error,
  polled_at = excluded.polled_at, duration_seconds = excluded.duration_seconds,
  changed_at = CASE WHEN old.status = excluded.status THEN old.changed_at ELSE excluded.changed_at END
"""


_BATCH_CHARACTERS = 1_000_000


class PostgresDataSources:
    """Fulfils DataSourceRepository."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[DataSource, ...]:
        """Every data source."""
        records = await fetch(self._pool, "SELECT * FROM data_sources ORDER BY id")
        return tuple(from_record(DataSource, record) for record in records)

    async def save_states(self, states: Sequence[SourceState]) -> None:
        """Write the newest state of each source (the last one given)."""
        newest = list({state.data_source_id: state for state in states}.values())
        # Off the event loop: the readings of a few sources may be megabytes of JSON.
        encoded = await asyncio.to_thread(_encoded, newest)
        for batch in _batches(list(zip(newest, encoded, strict=True))):
            await self._save(batch)

    async def _save(self, batch: Sequence[tuple[SourceState, str | None]]) -> None:
        columns = (
            [state.data_source_id for state, _ in batch],
            [str(state.status) for state, _ in batch],
            [storable(state.message) for state, _ in batch],
            [reading for _, reading in batch],
            [storable(state.error) for state, _ in batch],
            [state.polled_at for state, _ in batch],
            [state.duration_seconds for state, _ in batch],
        )
        try:
            await execute(self._pool, _SAVE_STATES, *columns)
        except StorageRefusedError:  # a source was deleted at this very moment; now the join leaves it out
            await execute(self._pool, _SAVE_STATES, *columns)


def _batches(
    states: Sequence[tuple[SourceState, str | None]],
) -> Iterator[Sequence[tuple[SourceState, str | None]]]:
    """Parts of at most about a megabyte, or of one state: the driver encodes a whole statement at once."""
    start, size = 0, 0
    for position, (_, reading) in enumerate(states):
        length = len(reading or "")
        if position > start and size + length > _BATCH_CHARACTERS:
            yield states[start:position]
            start, size = position, 0
        size += length
    if states:
        yield states[start:]


def _encoded(states: Sequence[SourceState]) -> list[str | None]:
    return [encode_json(state.reading.to_json()) if state.reading else None for state in states]

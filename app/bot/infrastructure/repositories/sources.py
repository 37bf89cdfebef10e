"""Data sources, and what their polls gave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import asyncpg

from app.bot.domain.readings.reading import Reading, Status
from app.bot.domain.readings.source import DataSource, SourceState
from app.bot.domain.records import from_record
from app.bot.domain.repositories import DataSourceRepository
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
_NEW_READINGS = """
SELECT source.name, state.polled_at, state.status, state.message, state.error, state.reading
FROM source_states AS state JOIN data_sources AS source ON source.id = state.data_source_id
LEFT JOIN unnest($1::text[], $2::timestamptz[]) AS known(name, polled_at) ON known.name = source.name
WHERE state.polled_at IS DISTINCT FROM known.polled_at
"""
_BATCH_CHARACTERS = 1_000_000


class PostgresDataSources(DataSourceRepository):
    """Data sources and their states in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def all(self) -> tuple[DataSource, ...]:
        """Every data source."""
        records = await fetch(self._pool, "SELECT * FROM data_sources ORDER BY id")
        return tuple(from_record(DataSource, record) for record in records)

    async def readings(self, known: Mapping[str, datetime]) -> Mapping[str, tuple[datetime, Reading]]:
        """Return when each source was polled last and what that gave, by its name.

        Those that `known` says were polled at this same time are left out.
        """
        records = await fetch(self._pool, _NEW_READINGS, list(known), list(known.values()))
        return {record["name"]: (record["polled_at"], _reading(record)) for record in records}

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


def _reading(state: asyncpg.Record) -> Reading:
    """Return the stored reading; where there is none, or one of another version, what the state's columns say."""
    if state["reading"] is not None:
        try:
            return Reading.from_json(state["reading"])
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
    status = Status(state["status"]) if state["status"] in set(Status) else Status.UNKNOWN
    return Reading(state["polled_at"], status, state["error"] or state["message"])

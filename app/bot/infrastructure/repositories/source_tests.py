"""Tests of data sources that the web admin asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.bot.domain.readings.source_tests import SourceTest
from app.bot.domain.records import from_record
from app.bot.domain.repositories import SourceTestRepository
from app.bot.infrastructure.repositories.postgres import Pool, execute, fetch, storable


class PostgresSourceTests(SourceTestRepository):
    """Tests of data sources in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(self, test_id: int) -> SourceTest | None:
        """Take the test; None for all but the first who asks."""
        records = await fetch(
            self._pool,
            "UPDATE source_tests SET started_at = now() WHERE id = $1 AND started_at IS NULL RETURNING *",
            test_id,
        )
        return from_record(SourceTest, records[0]) if records else None

    async def answer(self, test_id: int, result: Mapping[str, Any]) -> None:
        """Write what came of it."""
        await execute(
            self._pool,
            "UPDATE source_tests SET result = $2, finished_at = now() WHERE id = $1",
            test_id,
            _clean(result),
        )


def _clean(value: Any) -> Any:
    """Without what servers may answer and PostgreSQL's JSON cannot hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(entry) for entry in value]
    return value

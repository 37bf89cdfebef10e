"""The past of metrics for previews, read when a dashboard is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.readings.history import History, HistoryQuery, SeriesHistory
from app.shared.database.core.connection import encode_json
from app.shared.database.history import read_history


class SessionHistory:
    """Fulfils HistoryReader on the session of a request, one query after the other: it has one connection."""

    def __init__(self, database: AsyncSession) -> None:
        self._database = database
        self._turn = asyncio.Lock()

    async def read(self, query: HistoryQuery, until: datetime) -> History:
        """What a query gives up to a moment."""
        async with self._turn:
            steps = await read_history(
                self._fetch,
                source=query.source,
                metric=query.metric,
                labels=dict(query.labels),
                range_seconds=query.range_seconds,
                step_seconds=query.step_seconds,
                aggregate=query.aggregate.value,
                until=until,
            )
        series = tuple(
            SeriesHistory(one.metric, tuple(sorted(one.labels.items())), one.unit, one.values) for one in steps.series
        )
        return History(steps.start, steps.step_seconds, series)

    async def _fetch(self, query: str, *arguments: Any) -> Sequence[Any]:
        """As asyncpg's own, where SQLAlchemy takes JSON as text."""
        connection = await (await self._database.connection()).get_raw_connection()
        driver = connection.driver_connection
        if driver is None:
            raise ConnectionError("the connection to the database was closed")
        sent = (encode_json(argument) if isinstance(argument, dict) else argument for argument in arguments)
        rows: Sequence[Any] = await driver.fetch(query, *sent)
        return rows

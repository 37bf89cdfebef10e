"""Writing what polls returned to the database, in batches, without the polls ever waiting for it."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from app.bot.domain.errors import MissingColumnError, MissingTableError, StorageUnavailableError
from app.bot.domain.readings.source import SourceState
from app.bot.domain.repositories import DataSourceRepository
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.write_behind import WriteBehind

log = structlog.get_logger(__name__)

_LONGEST_PAUSE_SECONDS = 30.0
_LATER = (StorageUnavailableError, MissingTableError, MissingColumnError)
"""Failures of the storage, not of a state: the states are kept and written later."""


class StateWriter(WriteBehind[int, SourceState]):
    """Keeps the newest state of each source until it is written."""

    def __init__(self, repository: DataSourceRepository) -> None:
        super().__init__(
            "the state of a data source",
            "source_id",
            self._save,
            outage=Outage(
                log,
                "states of data sources cannot be written; polling goes on, writing follows",
                "states of data sources are written again",
            ),
            later=_LATER,
            backoff=Backoff(_LONGEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS),
        )
        self._repository = repository

    def write_every(self, seconds: float) -> None:
        """Have states written at most that often, and less often while they cannot be."""
        self._pause_seconds = seconds
        self._backoff = Backoff(min(2 * seconds, _LONGEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    async def _save(self, states: Mapping[int, SourceState]) -> None:
        await self._repository.save_states(list(states.values()))

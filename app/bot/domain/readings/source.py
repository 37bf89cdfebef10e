"""A data source: a configured thing to read, with an interval and a timeout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.bot.domain.readings.reading import Reading


@dataclass(frozen=True, slots=True)
class DataSource:
    """A row of data_sources. Components name it by `name`; `title` is what people read."""

    id: int
    name: str
    type: str
    title: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    interval_seconds: float = 30.0
    timeout_seconds: float = 10.0
    enabled: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The title, or the name where no title is set."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the newest poll of a source gave: written to source_states, where the admin reads it."""

    data_source_id: int
    status: str
    message: str
    reading: Reading | None
    error: str | None
    polled_at: datetime
    duration_seconds: float

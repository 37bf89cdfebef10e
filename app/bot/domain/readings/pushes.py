"""A call from outside, by which something says that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Push:
    """The newest call to a data source. Seconds count by the database's clock.

    `waited_seconds` is the time since the call, or since the address was made where no one called (`called` is False).
    """

    called: bool
    waited_seconds: float
    calls: int = 0
    status: str = "up"
    message: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)


class PushRepository(Protocol):
    """Gives what was called."""

    async def newest(self, source: str) -> Push | None:
        """Return the newest call to the data source of this name; None while it has no address."""
        ...


class NoPushes(PushRepository):
    """Pushes where no one can call."""

    async def newest(self, source: str) -> Push | None:
        """Nothing."""
        return None

"""What only an inspection of each container tells, remembered while nothing happens to it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.bot.infrastructure.sources.docker.containers import Container, Details
from app.bot.infrastructure.sources.docker.errors import EngineRefusedError
from app.bot.infrastructure.sources.docker.events import EventFeed

if TYPE_CHECKING:
    from app.bot.infrastructure.sources.docker.engine import Engine

_AT_ONCE = 8
_TRUSTED_SECONDS = 60.0
"""How long an inspection is trusted while every event is heard; without events there is a new one each time."""


class Inspections:
    """The details of containers."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self._known: dict[str, tuple[float, str, Details]] = {}

    async def of(self, engine: Engine, containers: Sequence[Container]) -> list[Container]:
        """Return the containers with their details; those that went meanwhile are left out. Raises EngineError."""
        touched, now = self._feed.take_touched(), time.monotonic()
        self._known = {
            one.id: known
            for one in containers
            if (known := self._known.get(one.id)) is not None
            and self._feed.is_live
            and one.id not in touched
            and now - known[0] < _TRUSTED_SECONDS
        }
        slots = asyncio.Semaphore(_AT_ONCE)
        tasks = [asyncio.create_task(self._inspected(engine, one, slots)) for one in containers]
        try:
            return [one for one in await asyncio.gather(*tasks) if one is not None]
        finally:
            for task in tasks:  # once one failed, the others ask an engine that is closed
                task.cancel()

    async def _inspected(self, engine: Engine, container: Container, slots: asyncio.Semaphore) -> Container | None:
        known = self._known.get(container.id)
        if known is None or known[1] != container.state:
            try:
                async with slots:
                    details = Details.of(await engine.inspect(container.id))
            except EngineRefusedError as error:
                if error.status == 404:
                    return None
                details = Details()  # a proxy may allow the list and no more
            known = self._known[container.id] = (time.monotonic(), container.state, details)
        return replace(container, details=known[2])


class RestartCounts:
    """How often the engine restarted each container lately, by itself."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._counts: dict[str, deque[tuple[float, int]]] = {}

    def growing(self, containers: Sequence[Container]) -> list[str]:
        """Names of the containers that were restarted within the time, or are being restarted now."""
        now = time.monotonic()
        self._counts = {one.id: self._counts.get(one.id, deque()) for one in containers}
        return [one.name for one in containers if one.state == "restarting" or self._has_grown(one, now)]

    def _has_grown(self, container: Container, now: float) -> bool:
        past, count = self._counts[container.id], container.details.restarts or 0
        if past and count < past[-1][1]:  # someone started it by hand, which sets it back
            past.clear()
        if not past or past[-1][1] != count:
            past.append((now, count))
        while len(past) > 1 and past[1][0] < now - self._seconds:
            past.popleft()
        return count > past[0][1]

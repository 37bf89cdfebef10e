"""Waiting a moment for what a dashboard did not have yet: a chart that is being drawn, history that is being loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from app.bot.domain.blocks.block import View


class Arrivals:
    """Tells those who wait, and those who subscribed, that something arrived for a dashboard."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._subscribers: list[Callable[[int], None]] = []

    def subscribe(self, subscriber: Callable[[int], None]) -> None:
        """Have `subscriber` called with the id of each dashboard that something arrived for. It must not block."""
        self._subscribers.append(subscriber)

    def arrived(self, dashboard_ids: Iterable[int]) -> None:
        """Something that these dashboards asked for is there now."""
        for dashboard_id in dashboard_ids:
            for waiting in self._waiting.pop(dashboard_id, ()):
                if not waiting.done():
                    waiting.set_result(None)
            for subscriber in self._subscribers:
                subscriber(dashboard_id)

    async def complete(self, dashboard_id: int, build: Callable[[], View], seconds: float) -> View:
        """Return what `build` gives once nothing is missing in it any more, or when the time is up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        view = build()
        while view.pending and (left := deadline - loop.time()) > 0 and await self._wait(dashboard_id, left):
            view = build()
        return view

    async def _wait(self, dashboard_id: int, seconds: float) -> bool:
        """Whether something arrived in this time."""
        arrival = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(dashboard_id, set())
        waiting.add(arrival)
        try:
            done, _ = await asyncio.wait({arrival}, timeout=seconds)
        finally:
            waiting.discard(arrival)
            if not waiting and self._waiting.get(dashboard_id) is waiting:
                del self._waiting[dashboard_id]
        return bool(done)

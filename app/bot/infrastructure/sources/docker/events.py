"""What happens on an engine, told the moment it happens."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog

from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import describe_fault
from app.bot.infrastructure.sources.docker.access import EngineLink
from app.bot.infrastructure.sources.docker.containers import Choice, is_hidden
from app.bot.infrastructure.sources.docker.errors import EngineRefusedError
from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage

log = structlog.get_logger(__name__)

KEPT_EVENTS = 50
_TOLD = frozenset(
    (
        *("create", "start", "stop", "die", "kill", "restart", "pause", "unpause"),
        *("destroy", "remove", "rename", "oom", "update", "health_status"),
    )
)
"""Actions that change how a container is; others, such as each run of a health check, are passed over."""
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_STEADY_SECONDS = 60.0
"""A stream that lived so long was fine: the next pause is short again."""
_BACKLOG_SECONDS = 86_400
_NANOSECONDS = 1_000_000_000


class EventFeed:
    """Follows an engine's events in the background from `start` to `close`, through its restarts.

    `changed` is called whenever the containers may be different from before.
    """

    def __init__(self, link: EngineLink, choice: Choice, changed: Callable[[], None]) -> None:
        self._link = link
        self._choice = choice
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._newest: deque[dict[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self._touched: set[str] = set()
        self._since = f"{int(time.time()) - _BACKLOG_SECONDS}"
        self._last = 0
        self._refusal = Outage(log, "docker refuses to tell its events; changes are seen at each poll")
        self.is_live = False
        """Whether everything that happens is heard now."""

    def start(self) -> None:
        """Follow the events, if that is not done yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def rows(self) -> list[dict[str, Any]]:
        """Return the newest events, oldest first, as a log has them."""
        return list(self._newest)

    def take_touched(self) -> frozenset[str]:
        """Ids of the containers to which something happened since the last call."""
        touched, self._touched = frozenset(self._touched), set()
        return touched

    async def _follow(self) -> None:
        backoff = Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
        while True:
            started = time.monotonic()
            try:
                await self._listen()
            except HomelabError as error:
                self._told_once(error)
            except Exception as error:  # noqa: BLE001  # the guarded edge: the next attempt may find it better
                log.warning("docker events failed", reason=describe_fault(error))
            if self.is_live:
                self.is_live = False
                self._changed()  # mostly the engine went: to be seen at once
            if time.monotonic() - started >= _STEADY_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def _listen(self) -> None:
        engine = await self._link.engine()
        async with engine.events(self._since) as events:
            self.is_live = True
            self._refusal.recover()
            self._changed()  # whatever happened while no one listened
            async for event in events:
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        actor = event.get("Actor")
        attributes = actor.get("Attributes") if isinstance(actor, Mapping) else None
        about = {str(key): str(value) for key, value in attributes.items()} if isinstance(attributes, Mapping) else {}
        action, at = str(event.get("Action") or ""), event.get("timeNano")
        if action.partition(":")[0] not in _TOLD or not isinstance(at, int) or at <= self._last:
            return
        self._last, self._since = at, f"{at // _NANOSECONDS}.{at % _NANOSECONDS:09d}"
        name = about.get("name", "")
        if is_hidden(about) or not self._choice.wants(name, about):
            return
        self._touched.add(str(event.get("id") or actor.get("ID") if isinstance(actor, Mapping) else ""))
        self._newest.append(_row(action, name, about, at))
        self._changed()

    def _told_once(self, error: HomelabError) -> None:
        """Log once that an engine refuses its events; one that is gone is a source that is down."""
        if isinstance(error, EngineRefusedError):
            self._refusal.fail(str(error))


def _row(action: str, name: str, about: Mapping[str, str], at: int) -> dict[str, Any]:
    code = about.get("exitCode", "") if action == "die" else ""
    return {
        "time": datetime.fromtimestamp(at / _NANOSECONDS, UTC).isoformat(timespec="milliseconds"),
        "action": action,
        "container": name,
        "image": about.get("image", ""),
        "exit_code": int(code) if code.isdecimal() else None,
        "message": f"{name}: {action}" + (f" (code {code})" if code else ""),
        "level": "error" if action == "oom" or (code not in ("", "0")) or "unhealthy" in action else "info",
    }

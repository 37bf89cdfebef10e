"""Writes the newest value of each key later, and survives a database that is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Generic, TypeVar

import structlog

from app.shared.kit.backoff import Backoff
from app.shared.kit.outage import Outage
from app.shared.kit.wakeable_sleep import WakeableSleep

log = structlog.get_logger(__name__)

Key = TypeVar("Key")
Value = TypeVar("Value")

_IDLE_SECONDS = 3_600.0
_LAST_WRITE_SECONDS = 2.0
_GONE = object()


class WriteBehind(Generic[Key, Value]):
    """Keeps the newest value of each key until `write` has stored it.

    `write` stores a batch. Errors of the types `later` mean that the storage is away: the values go on waiting, and
    `outage` says so once. Any other error means a value that the storage refuses for what it is: the values of the
    batch are stored one by one, and the refused one is dropped with one line, which names `what` it is
    and, as `key_name`, its key.
    """

    def __init__(
        self,
        what: str,
        key_name: str,
        write: Callable[[Mapping[Key, Value]], Awaitable[None]],
        *,
        outage: Outage,
        later: tuple[type[Exception], ...],
        backoff: Backoff,
        pause_seconds: float = 0.0,
        batch: int = 1_000,
    ) -> None:
        self._what = what
        self._key_name = key_name
        self._store = write
        self._later = later
        self._backoff = backoff
        self._pause_seconds = pause_seconds
        self._batch = batch
        self._waiting: dict[Key, Value] = {}
        self._refused: set[Key] = set()
        self._lock = asyncio.Lock()
        self._sleep = WakeableSleep()
        self.outage = outage

    @property
    def waiting(self) -> Mapping[Key, Value]:
        """Return what is not written yet."""
        return self._waiting

    def put(self, key: Key, value: Value) -> None:
        """Have a value written soon; an older one of the same key that still waits is replaced."""
        self._waiting[key] = value
        self._sleep.wake()

    def forget(self, key: Key) -> None:
        """Drop what waits for a key."""
        self._waiting.pop(key, None)
        self._refused.discard(key)

    async def write_now(self, key: Key, value: Value) -> bool:
        """Write a value now; False when the storage is away, and the value waits."""
        self.put(key, value)
        return not self.outage.active and await self._write([key])

    async def flush(self) -> bool:
        """Write all that waits, `batch` values at once; False when the storage is away."""
        keys = list(self._waiting)
        for start in range(0, len(keys), self._batch):
            if not await self._write(keys[start : start + self._batch]):
                return False
        return True

    async def run(self) -> None:
        """Write until cancelled: at once, then at most every `pause_seconds`, with growing pauses during an outage."""
        while True:
            if not self._waiting:
                await self._sleep.sleep(_IDLE_SECONDS)
            elif await self.flush():
                self._backoff.reset()
                await asyncio.sleep(self._pause_seconds)
            else:
                await asyncio.sleep(max(self._backoff.next(), self._pause_seconds))

    async def write_last(self) -> None:
        """Write what waits, on the way out: briefly, for the storage may be away."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), _LAST_WRITE_SECONDS)

    async def _write(self, keys: Iterable[Key]) -> bool:
        # One batch at a time: an older value must never overtake a newer one on another connection.
        async with self._lock:
            batch = {key: self._waiting[key] for key in keys if key in self._waiting}
            if not batch:
                return True
            try:
                await self._store(batch)
            except self._later as error:
                self.outage.fail(str(error))
                return False
            except Exception as error:  # noqa: BLE001  # a value that cannot be stored must not keep the others from it
                if len(batch) > 1:
                    return await self._one_by_one(batch)
                self._refuse(next(iter(batch)), error)
            else:
                self._refused.difference_update(batch)
            self._done(batch)
            return True

    async def _one_by_one(self, batch: Mapping[Key, Value]) -> bool:
        for key, value in batch.items():
            try:
                await self._store({key: value})
            except self._later as error:
                self.outage.fail(str(error))
                return False
            except Exception as error:  # noqa: BLE001  # this very value is the one that cannot be stored
                self._refuse(key, error)
            else:
                self._refused.discard(key)
            self._done({key: value})
        return True

    def _done(self, batch: Mapping[Key, Value]) -> None:
        for key, value in batch.items():
            if self._waiting.get(key, _GONE) is value:
                del self._waiting[key]
        self.outage.recover()

    def _refuse(self, key: Key, error: Exception) -> None:
        if key not in self._refused:
            self._refused.add(key)
            log.warning(f"{self._what} cannot be stored", reason=type(error).__name__, **{self._key_name: key})

"""The durable queue of runs: PgQueuer on a connection of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog

from app.bot.application.actions.worker import JobQueue
from app.bot.domain.errors import HomelabError, StorageUnavailableError
from app.bot.domain.faults import describe_fault
from app.bot.infrastructure.threads import in_thread
from app.shared.database.action_queue import JOB, load_queue

if TYPE_CHECKING:
    from pgqueuer.core.qm import QueueManager
    from pgqueuer.domain.models import Job

log = structlog.get_logger(__name__)

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]
_RETRY = timedelta(seconds=5)
_ATTEMPTS = 50
_STOP_SECONDS = 2.0
"""Short runs may end by themselves before the process stops."""


class PgQueuerJobs(JobQueue):
    """Jobs in PgQueuer.

    What runs goes on while the connection is lost: only a cancelled `work` breaks it off.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._running: set[asyncio.Task[None]] = set()
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)  # what goes wrong is said here, and once

    async def work(self, handle: Callable[[int], Awaitable[None]], parallel: int, lost_after_seconds: float) -> None:
        """Hand out runs until cancelled. Raises StorageUnavailableError when the connection is lost."""
        make_manager = await in_thread(_load, "load-pgqueuer")  # half a second, which the event loop does not have
        connection = await self._connect()
        manager = make_manager(connection)
        lost = asyncio.Event()

        def closed(_connection: object) -> None:
            lost.set()
            manager.shutdown.set()

        async def dispatch(job: Job) -> None:
            await self._dispatch(handle, job, lost)

        connection.add_termination_listener(closed)

        manager.entrypoint(JOB, accepts_context=False)(dispatch)
        working = asyncio.create_task(_manage(manager, parallel, lost_after_seconds), name="job queue")
        ending = asyncio.create_task(lost.wait(), name="job queue is lost")
        try:
            await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            manager.shutdown.set()  # so that it takes no more jobs, such as those that are put back now
            await self._break_off()
            raise
        finally:
            ending.cancel()
            await _end(manager, working)
            await _close(connection)
        error = working.exception() if working.done() and not working.cancelled() else None
        reason = f": {describe_fault(error)}" if error is not None else ""
        raise StorageUnavailableError(f"The connection of the job queue was lost{reason}")

    async def _dispatch(self, handle: Callable[[int], Awaitable[None]], job: Job, lost: asyncio.Event) -> None:
        """Do one job. Whatever goes wrong, the job is handed out again: its row says whether it is still due."""
        from pgqueuer.domain.errors import RetryRequested

        task = asyncio.ensure_future(handle(int(job.payload or b"0")))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        stopped = asyncio.ensure_future(lost.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        error = task.exception() if task.done() and not task.cancelled() else None
        if error is None:
            return
        reason = str(error) if isinstance(error, HomelabError) else describe_fault(error)
        if job.attempts == 0:
            log.warning("a run could not be handled yet", job=job.id, reason=reason)
        if job.attempts < _ATTEMPTS:
            raise RetryRequested(_RETRY, reason)

    async def _break_off(self) -> None:
        """Give what runs a moment, and break off what is left."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=_STOP_SECONDS)
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=_STOP_SECONDS * 5)


def _load() -> Callable[[asyncpg.Connection[asyncpg.Record]], QueueManager]:
    load_queue()
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
    from pgqueuer.adapters.persistence.queries import Queries
    from pgqueuer.core.qm import QueueManager

    return lambda connection: QueueManager(Queries(AsyncpgDriver(connection)))


async def _manage(manager: QueueManager, parallel: int, lost_after_seconds: float) -> None:
    batch = max(1, parallel // 2)
    await manager.run(
        # New jobs are notified; those of a worker that died are found by looking.
        dequeue_timeout=timedelta(seconds=lost_after_seconds / 2),
        batch_size=batch,
        max_concurrent_tasks=2 * batch,
        shutdown_on_listener_failure=True,
        heartbeat_timeout=timedelta(seconds=lost_after_seconds),
    )


async def _end(manager: QueueManager, working: asyncio.Task[None]) -> None:
    """Let the queue note what has ended, but not for ever."""
    manager.shutdown.set()
    await asyncio.wait({working}, timeout=_STOP_SECONDS)
    working.cancel()
    await asyncio.wait({working}, timeout=_STOP_SECONDS)


async def _close(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        await asyncio.wait_for(connection.close(), _STOP_SECONDS)

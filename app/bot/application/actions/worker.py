"""The service that runs what users asked for: each run once, whatever happens to the process in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field

from app.bot.application.actions.answers import RunMessages, attachment_of, outcome_view
from app.bot.application.actions.catalog import ActionCatalog
from app.bot.application.actions.requests import SERVICE
from app.bot.application.actions.running import LOST, RunAction
from app.bot.application.runtime.service import Service
from app.bot.domain.actions.runs import ActionRun, RunOutcome, RunState
from app.bot.domain.blocks.block import View
from app.bot.domain.errors import HomelabError
from app.bot.domain.repositories import ActionRunRepository

log = structlog.get_logger(__name__)

_SWEEP_SECONDS = 60.0
_MOST_ATTEMPTS = 3
_STORE_AGAIN_SECONDS = 2.0
_STORE_ATTEMPTS = 30


class ActionWorkerConfig(BaseModel, title="Actions"):
    """Runs the actions that users asked for.

    Runs wait in a queue of the database, so a restart neither loses nor repeats one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parallel: int = Field(10, ge=1, le=100, description="How many runs this process does at once")
    keep_days: int = Field(90, ge=1, le=3_650, description="Days after which finished runs are deleted")
    lost_after_seconds: float = Field(
        30, ge=2, le=600, description="Seconds without a sign of life after which another process takes a run over"
    )


class JobQueue(Protocol):
    """The durable queue of runs."""

    async def work(self, handle: Callable[[int], Awaitable[None]], parallel: int, lost_after_seconds: float) -> None:
        """Call `handle` with the id of each run that is due, until cancelled; then those that run are cancelled too.

        A run whose process died is handed out again. Raises when the database goes away.
        """
        ...


class ActionWorker(Service[ActionWorkerConfig]):
    """Runs what users asked for."""

    name: ClassVar[str] = SERVICE
    config_model = ActionWorkerConfig

    def __init__(
        self,
        queue: JobQueue,
        runs: ActionRunRepository,
        catalog: ActionCatalog,
        run_action: RunAction,
        messages: RunMessages,
        *,
        config: ActionWorkerConfig | None = None,
    ) -> None:
        self._queue = queue
        self._runs = runs
        self._catalog = catalog
        self._run_action = run_action
        self._messages = messages
        self._config = config or ActionWorkerConfig()
        self._active: set[int] = set()

    def configure(self, config: ActionWorkerConfig) -> None:
        """Take another config, which counts from the next `run` on."""
        self._config = config

    async def run(self) -> None:
        """Work until cancelled, from when the definitions are known: without them no action would be."""
        await self._catalog.until_loaded()
        sweeping = asyncio.create_task(self._sweep(), name="answers that are due")
        try:
            await self._queue.work(self.handle, self._config.parallel, self._config.lost_after_seconds)
        finally:
            sweeping.cancel()
            await asyncio.wait({sweeping})

    async def handle(self, run_id: int) -> None:
        """Do one run, if it is due: a job may be handed out twice, its row says what has become of it."""
        if run_id in self._active:
            return  # it went on here while the queue could not be reached
        self._active.add(run_id)
        try:
            await self._handle(run_id)
        finally:
            self._active.discard(run_id)

    async def _handle(self, run_id: int) -> None:
        claimed = await self._runs.claim(run_id)
        if claimed is None:
            return
        run, is_new = claimed
        repeatable = self._run_action.is_repeatable(run)
        if not is_new and not (repeatable and run.attempts <= _MOST_ATTEMPTS):
            await self._end(run, LOST, None)
            return
        try:
            outcome, view = await self._run_action(run)
        except asyncio.CancelledError:
            await asyncio.shield(self._broken_off(run, repeatable=repeatable))
            return  # for the queue it is dealt with
        await self._end(run, outcome, view)

    async def _broken_off(self, run: ActionRun, *, repeatable: bool) -> None:
        """Leave what may be repeated to the next process: this one is stopping."""
        if repeatable:
            await self._runs.requeue(run.id)
        else:
            await self._end(run, LOST, None)

    async def _end(self, run: ActionRun, outcome: RunOutcome, view: View | None) -> None:
        await self._store(run, outcome)
        log.info(
            "action run", action=run.action, run=run.id, state=outcome.state.value, user=run.actor.name, dry=run.dry_run
        )
        await self._answer(run, outcome, view)

    async def _store(self, run: ActionRun, outcome: RunOutcome) -> None:
        """Store how it ended: it happened, so a database that is away for a moment must not make it happen again."""
        for attempt in range(_STORE_ATTEMPTS):
            try:
                await self._runs.finish(run.id, outcome)
            except HomelabError as error:
                if attempt == 0:
                    log.warning("the outcome of a run cannot be stored yet", run=run.id, reason=str(error))
                await asyncio.sleep(_STORE_AGAIN_SECONDS)
            else:
                return

    async def _answer(self, run: ActionRun, outcome: RunOutcome, view: View | None) -> None:
        if run.reply is None:
            await self._runs.answered(run.id)
            return
        title = self._catalog.title(run.action)
        shown = view if view is not None and outcome.state is RunState.DONE else None
        shown = shown or outcome_view(title, outcome, dry_run=run.dry_run)
        if await self._messages.show(run.reply, shown, attachment_of(outcome)):
            await self._runs.answered(run.id)

    async def _sweep(self) -> None:
        """Give the answers that a process could not give any more, and forget what is old."""
        while True:
            try:
                for run in await self._runs.unanswered():
                    outcome = RunOutcome(run.state, run.result, run.output, run.output_name)
                    await self._answer(run, outcome, None)
                await self._runs.clean_up(self._config.keep_days)
            except HomelabError as error:
                log.debug("answers that are due cannot be looked for", reason=str(error))
            await asyncio.sleep(_SWEEP_SECONDS)

"""One run of an action: the permission once more, its config with the user's values, its time, and its outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from app.bot.application.actions.answers import RunMessages, capped, progress_view
from app.bot.application.actions.authorizer import Authorizer
from app.bot.application.actions.base import (
    Action,
    ActionResult,
    FailedWithOutputError,
    RunResources,
)
from app.bot.application.actions.catalog import ActionCatalog
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.action import ActionCall
from app.bot.domain.actions.runs import ActionRun, Origin, RunOutcome, RunState
from app.bot.domain.actions.settings import CheckedCall
from app.bot.domain.blocks.block import View
from app.bot.domain.errors import HomelabError, PermissionRefusedError
from app.bot.domain.faults import describe_fault
from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.registry import Registry
from app.bot.domain.repositories import ActionRunRepository

log = structlog.get_logger(__name__)

LOST = RunOutcome(
    RunState.LOST,
    "The bot was stopped while this ran. Whether it took effect is not known: look before you run it again.",
)
_UNREADABLE = RunOutcome(
    RunState.FAILED, "The values of this run cannot be opened: the key for secrets is another one now. Run it again."
)
_EDIT_SECONDS = 1.1
"""Between two edits of one answer: Discord allows five in five seconds."""
_MAX_TEXT = 1_500


class RunAction:
    """Does runs. Nothing that an action does, or fails to do, leaves here but as an outcome."""

    def __init__(
        self,
        types: Registry[type[Action]],
        catalog: ActionCatalog,
        authorizer: Authorizer,
        runs: ActionRunRepository,
        *,
        messages: RunMessages,
        definitions: DefinitionCache,
        resources: Callable[[], RunResources],
    ) -> None:
        self._types = types
        self._catalog = catalog
        self._authorizer = authorizer
        self._runs = runs
        self._messages = messages
        self._definitions = definitions
        self._resources = resources

    def is_repeatable(self, run: ActionRun) -> bool:
        """Whether a run that was interrupted may simply be done again."""
        definition = self._definitions.actions.get(run.action)
        known = definition is not None and definition.type in self._types
        return run.dry_run or (known and definition is not None and self._types[definition.type].repeatable)

    async def __call__(self, run: ActionRun) -> tuple[RunOutcome, View | None]:
        """Do it. The view is what the action wants to be shown in the place of its text."""
        if run.unreadable:
            return _UNREADABLE, None
        resources = self._resources()
        try:
            checked = self._checked(run)
            config = resources.prepare(checked.definition.config)
            action = self._catalog.parse(checked.definition, config, checked.values)
            result = await self._within_time(action, run, checked, resources)
        except PermissionRefusedError as error:
            return RunOutcome(RunState.REFUSED, str(error)), None
        except HomelabError as error:
            output = capped(resources.hide(error.output)) if isinstance(error, FailedWithOutputError) else ""
            return RunOutcome(RunState.FAILED, shorten(resources.hide(str(error)), _MAX_TEXT), output), None
        except TimeoutError:
            return RunOutcome(RunState.TIMED_OUT, "It did not end in time, and was broken off."), None
        except Exception as error:
            log.exception("an action failed", action=run.action, run=run.id)
            return RunOutcome(RunState.FAILED, f"Something went wrong inside the bot: {describe_fault(error)}"), None
        text = shorten(resources.hide(result.text), _MAX_TEXT)
        output = capped(resources.hide(result.output))
        return RunOutcome(RunState.DONE, text, output, result.output_name), result.view

    def _checked(self, run: ActionRun) -> CheckedCall:
        """Authorize the run once more, for what may be done can have changed; the web admin has its own roles."""
        call = ActionCall(run.action, run.values)
        if run.origin is not Origin.WEB:
            return self._authorizer.check(self._authorizer.authorize(call, run.actor, run.origin))
        definition = self._catalog.definition(run.action)
        return self._catalog.check(call, definition, self._catalog.settings(definition))

    async def _within_time(
        self, action: Action, run: ActionRun, checked: CheckedCall, resources: RunResources
    ) -> ActionResult:
        reporter = _Reporter(run, checked.definition.label, self._runs, self._messages, resources)
        context = resources.context(run.actor, checked.values, reporter.say)
        try:
            async with asyncio.timeout(action.timeout_seconds) as limit:
                return await (action.dry_run(context) if run.dry_run else action.run(context))
        except TimeoutError:
            if not limit.expired():
                raise HomelabError("It gave no answer in time.") from None
            raise
        finally:
            await reporter.close()


class _Reporter:
    """Shows how far a run is, in its row and to its user, about once a second at most: the newest text counts."""

    def __init__(
        self, run: ActionRun, title: str, runs: ActionRunRepository, messages: RunMessages, resources: RunResources
    ) -> None:
        self._run = run
        self._title = title
        self._runs = runs
        self._messages = messages
        self._resources = resources
        self._text: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._began = time.time()

    async def say(self, text: str) -> None:
        """Show this as soon as it may be."""
        self._text = self._resources.hide(text)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._show(), name="progress")

    async def close(self) -> None:
        """Show nothing any more: what is shown next is the outcome, so an edit that is on its way ends first."""
        self._text = None
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_EDIT_SECONDS * 2)
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _show(self) -> None:
        while (text := self._text) is not None:
            self._text = None
            with suppress(HomelabError):  # a database that is away is no reason to stop the run
                await self._runs.say(self._run.id, text)
            if self._run.reply is not None:
                view = progress_view(self._title, text, self._began)
                await self._messages.show(self._run.reply, view)
            await asyncio.sleep(_EDIT_SECONDS)

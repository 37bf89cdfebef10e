"""Actions: what a user may do from Discord, by a button."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import structlog

from app.bot.application.action_base import ActionContext, ActionFailedError, ActionResult, ActionType, RunResources
from app.bot.application.answers import Answer, notice
from app.bot.application.audit import Audit
from app.bot.application.dashboards import Dashboards
from app.bot.application.definitions import Definitions
from app.bot.application.readings import ReadingStore
from app.bot.application.services import Supervisor
from app.bot.domain.actions import ActionDefinition
from app.bot.domain.component import parse_config
from app.bot.domain.errors import HomelabError
from app.bot.domain.faults import describe_fault
from app.bot.domain.guilds import Actor
from app.bot.domain.markdown import escape_markdown
from app.bot.domain.permissions import ACTION_RUN
from app.bot.domain.registry import Registry

log = structlog.get_logger(__name__)


class UnknownActionError(HomelabError):
    """No enabled row defines the action."""


class CoolingDownError(HomelabError):
    """The action ran a moment ago and may not run again yet."""


class Actions:
    """Runs actions: permission checked at the click, every decision and outcome in the audit log."""

    def __init__(
        self,
        types: Registry[type[ActionType]],
        *,
        definitions: Definitions,
        readings: ReadingStore,
        dashboards: Dashboards,
        services: Supervisor,
        audit: Audit,
        resources: Callable[[], RunResources],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._types = types
        self._definitions = definitions
        self._readings = readings
        self._dashboards = dashboards
        self._services = services
        self._audit = audit
        self._resources = resources
        self._timer = timer
        self._last_run: dict[str, float] = {}

    async def run(self, name: str, actor: Actor) -> Answer:
        """Run the action for the actor.

        Raises UnknownActionError, PermissionRefusedError, CoolingDownError, or what the action raises.
        """
        definition = self._definitions.actions.get(name)
        if definition is None or not definition.enabled:
            raise UnknownActionError(f"The action “{name}” does not exist any more, or is switched off.")
        await self._audit.require(self._definitions.grants, actor, ACTION_RUN, name)
        resources = self._resources()
        config = resources.prepare(definition.config)
        action = parse_config(self._types[definition.type], config, f"Config of the action “{name}”")
        self._cool_down(definition, action.cooldown_seconds)
        await self._audit.record(actor, ACTION_RUN, name, "allowed")
        context = ActionContext(actor, self._definitions, self._readings, self._dashboards, self._services, resources)
        try:
            result = await action.run(context)
        except HomelabError as error:
            reason = resources.hide(str(error))
            await self._finished(actor, name, "failed", reason)
            raise ActionFailedError(reason) from None
        except Exception as error:
            await self._finished(actor, name, "failed", describe_fault(error))
            raise
        await self._finished(actor, name, "done")
        return _answer(result, resources)

    def _cool_down(self, definition: ActionDefinition, seconds: float) -> None:
        now, last = self._timer(), self._last_run.get(definition.name)
        if last is not None and (left := last + seconds - now) > 0:
            name = definition.title or definition.name
            raise CoolingDownError(f"“{name}” ran just now. Try again in {math.ceil(left)} s.")
        self._last_run[definition.name] = now

    async def _finished(self, actor: Actor, name: str, outcome: str, error: str | None = None) -> None:
        """Record the outcome. The action is over: a database that is away now must not hide what came of it."""
        try:
            await self._audit.record(actor, ACTION_RUN, name, outcome, {"error": error} if error else {})
        except HomelabError as failure:
            log.warning("an outcome is missing in the audit log", action=name, outcome=outcome, reason=str(failure))


def _answer(result: ActionResult, resources: RunResources) -> Answer:
    return Answer(result.view or notice(escape_markdown(resources.hide(result.text))))

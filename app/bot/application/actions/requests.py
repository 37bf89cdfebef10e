"""Actions: what a user may do from Discord. Here a run is asked for; `worker` runs it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.bot.application.actions.authorizer import AuthorizedCall, Authorizer
from app.bot.application.actions.catalog import ActionCatalog, ActionForm
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.application.runtime.service import ServiceOffError
from app.bot.domain.actions.action import ActionCall
from app.bot.domain.actions.parameters import ActionParameter, Offer
from app.bot.domain.actions.runs import Origin, ReplyAddress, RunRequest, RunState
from app.bot.domain.actions.settings import CheckedCall
from app.bot.domain.blocks.block import ButtonStyle
from app.bot.domain.errors import HomelabError, PermissionRefusedError
from app.bot.domain.guilds import Actor
from app.bot.domain.repositories import ActionRunRepository

SERVICE = "actions"
"""The type of the service that runs what was asked for."""


class StillStartingError(HomelabError):
    """The definitions are not loaded yet."""


class RunRefusedError(HomelabError):
    """A run may not begin: it cools down, runs already, or is not the user's own. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A question that the user answers before the run begins."""

    run_id: int
    title: str
    question: str
    icon: str
    style: ButtonStyle


@dataclass(frozen=True, slots=True)
class Started:
    """A run that waits for the worker, which shows how it goes wherever the reply address points."""

    run_id: int
    title: str


class Actions:
    """What users ask for. The permission is checked here, and once more when the run begins.

    Every run has a row, also one that is refused.
    """

    def __init__(
        self, definitions: DefinitionCache, catalog: ActionCatalog, authorizer: Authorizer, runs: ActionRunRepository
    ) -> None:
        self._definitions = definitions
        self._catalog = catalog
        self._authorizer = authorizer
        self._runs = runs

    async def authorize(self, call: ActionCall, actor: Actor, origin: Origin) -> AuthorizedCall:
        """Return the call if the actor may make it now; a refusal is recorded as a run.

        Raises StillStartingError, UnknownActionError, ServiceOffError, PermissionRefusedError or InvalidConfigError.
        """
        self.check_ready()
        self._catalog.definition(call.action)
        if not any(known.type == SERVICE and known.enabled for known in self._definitions.services.values()):
            raise ServiceOffError("Actions are switched off: there is no service of the type “actions” that is on.")
        try:
            return self._authorizer.authorize(call, actor, origin)
        except PermissionRefusedError as error:
            await self._refused(call, actor, origin, str(error))
            raise

    def form(self, asked: AuthorizedCall, *, optional: bool = True) -> ActionForm | None:
        """Return what the user is to be asked first; None where nothing is. See ActionCatalog.missing."""
        return self._catalog.missing(asked.call, asked.definition, asked.settings, optional=optional)

    async def ask(self, asked: AuthorizedCall) -> Confirmation:
        """Return the question that comes before a run. Raises what `request` raises, without RunRefusedError."""
        checked = await self._check(asked)
        run_id, _ = await self._runs.ask(replace(self._request(checked, asked.actor, asked.origin), ask=True))
        settings = checked.settings
        return Confirmation(run_id, checked.definition.label, checked.question, settings.icon, settings.style)

    async def request(
        self, asked: AuthorizedCall, reply: ReplyAddress | None = None, *, dry_run: bool = False
    ) -> Started:
        """Have an action run soon, with the values of the call.

        Raises WrongParameterError, PermissionRefusedError (a value names a denied source), RunRefusedError (it cools
        down or runs already), or StorageUnavailableError.
        """
        checked = await self._check(asked)
        request = replace(self._request(checked, asked.actor, asked.origin), reply=reply, dry_run=dry_run)
        run_id, refusal = await self._runs.ask(request)
        if refusal:
            raise RunRefusedError(refusal)
        return Started(run_id, checked.definition.label)

    async def confirm(self, run_id: int, actor: Actor, reply: ReplyAddress | None) -> Started:
        """Begin a run that waited for its user. Raises what `request` raises."""
        run = await self._runs.get(run_id)
        if run is None or run.state is not RunState.ASKED or not _is_same(run.actor, actor):
            raise RunRefusedError("This question was answered already, or is too old. Run the action again.")
        call = ActionCall(run.action, run.values)
        try:
            checked = self._authorizer.check(self._authorizer.authorize(call, actor, run.origin))
        except HomelabError as error:
            await self._runs.decline(run_id, str(error))
            raise
        request = replace(self._request(checked, actor, run.origin), reply=reply)
        refusal = await self._runs.confirm(run_id, request)
        if refusal:
            raise RunRefusedError(refusal)
        return Started(run_id, checked.definition.label)

    async def decline(self, run_id: int, actor: Actor) -> None:
        """End a run that the user declined."""
        run = await self._runs.get(run_id)
        if run is not None and _is_same(run.actor, actor):
            await self._runs.decline(run_id, "Not confirmed.")

    async def title_of_run(self, run_id: int) -> str:
        """Return what people read for the action of a run."""
        run = await self._runs.get(run_id)
        return self._catalog.title(run.action) if run is not None else "Action"

    def parameters(self, action: str) -> tuple[ActionParameter, ...]:
        """Return what an action asks for. Raises UnknownActionError, or what is wrong with the row."""
        return tuple(self._catalog.settings(self._catalog.definition(action)).parameters)

    def choices(self, actor: Actor, action: str, parameter: str, typed: str) -> list[Offer]:
        """Return what can be chosen for a parameter now and contains what was typed, at most 25.

        Nothing for who may not run the action.
        """
        try:
            self._authorizer.authorize(ActionCall(action), actor, Origin.COMMAND)
        except HomelabError:
            return []
        return self._catalog.choices(action, parameter, typed)

    def check_ready(self) -> None:
        """Raise StillStartingError in the moment before the definitions were loaded."""
        if not self._definitions.loaded.is_set():
            raise StillStartingError("The bot is just starting. Try again in a moment.")

    async def _check(self, asked: AuthorizedCall) -> CheckedCall:
        try:
            return self._authorizer.check(asked)
        except HomelabError as error:
            await self._refused(asked.call, asked.actor, asked.origin, str(error))
            raise

    async def _refused(self, call: ActionCall, actor: Actor, origin: Origin, reason: str) -> None:
        # The values are not checked, so no one knows which of them are secret.
        await self._runs.ask(RunRequest(call.action, actor, origin, refusal=reason))

    def _request(self, checked: CheckedCall, actor: Actor, origin: Origin) -> RunRequest:
        settings = checked.settings
        return RunRequest(
            checked.definition.name,
            actor,
            origin,
            checked.values,
            checked.shown,
            key=checked.key,
            concurrency=settings.concurrency,
            cooldown_seconds=settings.cooldown_seconds,
        )


def _is_same(one: Actor, other: Actor) -> bool:
    return (one.user_id, one.guild_id) == (other.user_id, other.guild_id)

"""Runs of actions that users of the web admin ask for: the bot runs them, from the same queue as Discord's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.actions.action import ActionDefinition
from app.bot.domain.actions.parameters import ActionParameter, Offer, WrongParameterError, offers
from app.bot.domain.actions.settings import ActionSettings, CheckedCall, check_values
from app.bot.domain.components.component import parse_config
from app.bot.domain.errors import HomelabError
from app.definitions.actors import WebActor
from app.definitions.errors import FieldError, InvalidRecordError, RecordError, RoleTooLowError, RunRefusedError
from app.definitions.kinds.actions import ACTIONS
from app.shared.database.action_queue import NewRun, RunLimits, ask_for_run, insert_run, seal
from app.shared.database.models import ActionRow, ActionRunRow, ServiceRow
from app.shared.secrets import SecretBox
from app.web.preview.builder import PreviewBuilder

SERVICE = "actions"
_MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class WebForm:
    """What is asked before an action runs, with what can be chosen now."""

    settings: ActionSettings
    offers: Mapping[str, tuple[Offer, ...]]


class ActionRuns:
    """Checks what was entered, and puts runs into the queue."""

    def __init__(self, preview: PreviewBuilder, box: SecretBox) -> None:
        self._preview = preview
        self._box = box

    async def form(self, database: AsyncSession, action: ActionRow) -> WebForm:
        """Return what an action asks for. Raises InvalidRecordError where its config is wrong."""
        await self._preview.refresh()
        settings = _settings(action)
        return WebForm(settings, {one.name: self._offers(one) for one in settings.parameters})

    async def ask(
        self,
        database: AsyncSession,
        action: ActionRow,
        given: Mapping[str, Any],
        actor: WebActor,
        *,
        dry_run: bool = False,
    ) -> ActionRunRow:
        """Have the bot run an action soon; the caller commits, also after an error: what is refused has a row too.

        Raises RoleTooLowError, InvalidRecordError that names the parameter, or RunRefusedError.
        """
        run = NewRun(
            action.name,
            "web",
            user_id=str(actor.user_id) if actor.user_id else "",
            user_name=actor.name,
            dry_run=dry_run,
        )
        try:
            checked = await self._allowed(database, action, given, actor)
        except RecordError as error:  # values that were not checked are not kept: one of them may be secret
            await insert_run(await _driver(database), run, "", "refused", str(error)[:_MAX_REASON])
            raise
        sealed = seal(self._box, checked.values, checked.shown)
        run = replace(run, parameters=dict(checked.shown), sealed=sealed)
        limits = RunLimits(checked.key, checked.settings.concurrency, checked.settings.cooldown_seconds)
        run_id, refusal = await ask_for_run(await _driver(database), run, limits)
        if refusal:
            raise RunRefusedError(refusal)
        return await database.get_one(ActionRunRow, run_id)

    async def _allowed(
        self, database: AsyncSession, action: ActionRow, given: Mapping[str, Any], actor: WebActor
    ) -> CheckedCall:
        if not actor.may(ACTIONS.writer):
            raise RoleTooLowError(f"Only users with the role {ACTIONS.writer} may run actions.")
        await _require_service(database)
        if not action.enabled:
            raise RunRefusedError("This action is switched off.")
        await self._preview.refresh()
        return self._checked(action, given)

    def _checked(self, action: ActionRow, given: Mapping[str, Any]) -> CheckedCall:
        definition = ActionDefinition(action.id, action.name, action.type, action.title, action.config)
        try:
            return check_values(definition, _settings(action), given, self._offers)
        except WrongParameterError as error:
            raise InvalidRecordError([FieldError("parameters", str(error))]) from None

    def _offers(self, parameter: ActionParameter) -> tuple[Offer, ...]:
        return offers(parameter, self._preview.readings)


def _settings(action: ActionRow) -> ActionSettings:
    try:
        return parse_config(ActionSettings, action.config, "config")
    except HomelabError as error:
        raise InvalidRecordError([FieldError("config", str(error))]) from None


async def _require_service(database: AsyncSession) -> None:
    if not await database.scalar(select(exists().where(ServiceRow.type == SERVICE, ServiceRow.enabled))):
        raise RunRefusedError("Actions are switched off: there is no service of the type “actions” that is on.")


async def _driver(database: AsyncSession) -> Any:
    """Return the driver's own connection, within the session's transaction: PgQueuer speaks to that."""
    await database.execute(text("SELECT 1"))  # begins the transaction, if nothing did
    connection = await (await database.connection()).get_raw_connection()
    return connection.driver_connection

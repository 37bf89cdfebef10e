"""The permission to run an action: asked for once when it is requested, and once when it begins."""

from __future__ import annotations

from dataclasses import dataclass

from app.bot.application.actions.catalog import ActionCatalog
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.action import ActionCall, ActionDefinition
from app.bot.domain.actions.runs import Origin
from app.bot.domain.actions.settings import ActionSettings, CheckedCall
from app.bot.domain.errors import PermissionRefusedError
from app.bot.domain.guilds import Actor
from app.bot.domain.permissions import ACTION_RUN, require, scopes_of_action


@dataclass(frozen=True, slots=True)
class AuthorizedCall:
    """A call that its actor may make now, with the row and the settings that this was decided by."""

    call: ActionCall
    actor: Actor
    origin: Origin
    definition: ActionDefinition
    settings: ActionSettings


class Authorizer:
    """Decides who may run what, by the grants as they are now."""

    def __init__(self, catalog: ActionCatalog, definitions: DefinitionCache) -> None:
        self._catalog = catalog
        self._definitions = definitions

    def authorize(self, call: ActionCall, actor: Actor, origin: Origin) -> AuthorizedCall:
        """Return the call if the actor may make it, where the actor is.

        Raises UnknownActionError, PermissionRefusedError or InvalidConfigError.
        """
        definition = self._catalog.definition(call.action)
        require(self._definitions.grants, actor, ACTION_RUN, scopes_of_action(definition), call.action)
        settings = self._catalog.settings(definition)
        if not settings.may_run_in(actor.guild_id):
            raise PermissionRefusedError("This action belongs to another server, and is run there only.")
        return AuthorizedCall(call, actor, origin, definition, settings)

    def check(self, authorized: AuthorizedCall) -> CheckedCall:
        """Return the call with its values checked, and with them the data source that they may name.

        Raises WrongParameterError or PermissionRefusedError.
        """
        definition = authorized.definition
        checked = self._catalog.check(authorized.call, definition, authorized.settings)
        scopes = scopes_of_action(definition, checked.values)
        if scopes != scopes_of_action(definition):
            require(self._definitions.grants, authorized.actor, ACTION_RUN, scopes, definition.name)
        return checked

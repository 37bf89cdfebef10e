"""What action types that touch the network get from the process."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from app.bot.application.actions.base import Action, ActionContext, ActionResult, RunResources, action_types
from app.bot.infrastructure.actions.run_secrets import RunSecrets
from app.bot.infrastructure.sources.base import Resources

__all__ = ["ActionContext", "ActionResources", "ActionResult", "NetworkAction", "action_types"]


@dataclass(frozen=True, slots=True)
class ActionResources(RunResources):
    """What one run may use of the process.

    `secrets` fills the `${secret:name}` of the action's own config: those that a user typed as a value stay text.
    `sources` is for whoever opens something from the config of a data source; secrets that are read through it are
    hidden as well.
    """

    session: aiohttp.ClientSession
    secrets: RunSecrets
    sources: Resources

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The config with its references to secrets marked as its own."""
        return {key: self.secrets.mark(value) for key, value in config.items()}

    def hide(self, text: str) -> str:
        """The text with every secret that the run has used replaced by a mark."""
        return self.secrets.hide(text)


def lend(resources: Resources) -> ActionResources:
    """The resources of one run, from those of the process."""
    secrets = RunSecrets(resources.secrets)
    return ActionResources(resources.session, secrets, replace(resources, secrets=secrets.watched()))


class NetworkAction(Action):
    """Base of action types that reach out of the process: they implement `act` in place of `run`."""

    @abstractmethod
    async def act(self, context: ActionContext, resources: ActionResources) -> ActionResult:
        """Do it, and say what came of it. A HomelabError's text is shown to the user; other errors are faults.

        Whoever calls limits the time, and hides secrets in all that comes back.
        """

    async def run(self, context: ActionContext) -> ActionResult:
        """Do it with the resources of the process."""
        if not isinstance(context.resources, ActionResources):
            raise TypeError("this action needs the resources of the bot's process")
        return await self.act(context, context.resources)

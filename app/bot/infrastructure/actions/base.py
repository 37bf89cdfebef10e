"""What every action type builds upon: its base class, and what one run may use of the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from app.bot.application.actions.base import (
    Action,
    ActionFailedError,
    ActionResult,
    FailedWithOutputError,
    Progress,
    RunResources,
    action_types,
)
from app.bot.application.actions.own_bot import OwnBot
from app.bot.domain.guilds import Actor
from app.bot.infrastructure.actions.run_secrets import RunSecrets
from app.bot.infrastructure.sources.base import Resources

__all__ = [
    "Action",
    "ActionContext",
    "ActionFailedError",
    "ActionResources",
    "ActionResult",
    "FailedWithOutputError",
    "action_types",
]


@dataclass(frozen=True, slots=True)
class ActionResources(RunResources):
    """What one run may use of the process.

    `secrets` fills the `${secret:name}` of the action's own config: those that a user typed as a value stay text.
    `sources` opens something from the config of a data source; secrets that are read through it are hidden as well.
    """

    session: aiohttp.ClientSession
    secrets: RunSecrets
    sources: Resources
    bot: OwnBot

    def prepare(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the config with its references to secrets marked as its own."""
        return {key: self.secrets.mark(value) for key, value in config.items()}

    def hide(self, text: str) -> str:
        """Return the text with every secret that the run has used replaced by a mark."""
        return self.secrets.hide(text)

    def context(self, actor: Actor, parameters: Mapping[str, Any], progress: Progress) -> ActionContext:
        """Return the context of the run."""
        return ActionContext(actor, self, parameters, progress)


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What a running action may use.

    `parameters` are the user's values, checked against the action's parameters; those that the config names as
    `${params.x}` stand in it already. `progress` shows the user how far it is: plain text, a few words.
    """

    actor: Actor
    resources: ActionResources
    parameters: Mapping[str, Any]
    progress: Progress


def lend(resources: Resources, bot: OwnBot) -> ActionResources:
    """Return the resources of one run, from those of the process."""
    secrets = RunSecrets(resources.secrets)
    return ActionResources(resources.session, secrets, replace(resources, secrets=secrets.watched()), bot)

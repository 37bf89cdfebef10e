"""What actions on containers have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from app.bot.domain.components.component import parse_config
from app.bot.domain.readings.items import value_at
from app.bot.infrastructure.actions.base import Action, ActionContext, ActionFailedError, ActionResult
from app.bot.infrastructure.sources.docker.containers import is_hidden, own_name
from app.bot.infrastructure.sources.docker.errors import EngineRefusedError
from app.bot.infrastructure.sources.docker.source import Docker

if TYPE_CHECKING:
    from app.bot.infrastructure.sources.docker.engine import Engine


@dataclass(frozen=True, slots=True)
class Target:
    """The container that an action works on, with its engine."""

    engine: Engine
    id: str
    name: str
    state: str

    async def state_now(self) -> str:
        """Docker's word for how it is, after something was done. Raises EngineError."""
        return _state(await self.engine.inspect(self.id))


class ContainerAction(Action):
    """Base of actions on one container of a docker source. Only containers that the source shows can be meant."""

    source: str = Field("docker", min_length=1, description="Name of the data source of type docker whose engine it is")
    container: str = Field(
        min_length=1, max_length=255, description="The container's name, or ${params.container} to let users choose"
    )

    async def dry_run(self, context: ActionContext) -> ActionResult:
        """Say what would be done, and how the container is now."""
        async with self.target(context) as target:
            return ActionResult(f"{self.describe()} It is {target.state} now.")

    @asynccontextmanager
    async def target(self, context: ActionContext) -> AsyncIterator[Target]:
        """Find the container, and close its engine at the end. Raises ActionFailedError or EngineError."""
        definition = context.resources.bot.source(self.source)
        if definition.type != "docker":
            raise ActionFailedError(f"The data source “{self.source}” is not of the type docker.")
        source = parse_config(Docker, definition.config, f"Config of “{definition.name}”")
        engine = await source.open(context.resources.sources.secrets)
        try:
            yield await self._found(engine, source)
        finally:
            await engine.close()

    async def _found(self, engine: Engine, source: Docker) -> Target:
        missing = ActionFailedError(f"There is no container “{self.container}” in “{self.source}”.")
        try:
            found = await engine.inspect(self.container)
        except EngineRefusedError as error:
            raise (missing if error.status == 404 else error) from None
        name, labels = own_name([found.get("Name") or ""]), value_at(found, "Config.Labels") or {}
        if not source.choice.wants(name, labels) or is_hidden(labels):
            raise missing
        return Target(engine, str(found.get("Id")), name, _state(found))


def _state(found: Any) -> str:
    return str(value_at(found, "State.Status") or "unknown")

"""Start a container."""

from __future__ import annotations

from typing import ClassVar

from app.bot.infrastructure.actions.base import ActionContext, ActionResult, action_types
from app.bot.infrastructure.actions.container_action import ContainerAction


@action_types.register("docker_start")
class DockerStart(ContainerAction, title="Docker start"):
    """Starts a container of a Docker engine.

    A container that is paused goes on; one that runs stays as it is.
    """

    repeatable: ClassVar[bool] = True

    def describe(self) -> str:
        """Name the container."""
        return f"Starts the container {self.container} of “{self.source}”."

    async def run(self, context: ActionContext) -> ActionResult:
        """Start it, or let it go on."""
        async with self.target(context) as target:
            if target.state == "running":
                return ActionResult(f"{target.name} runs already.")
            await (target.engine.unpause if target.state == "paused" else target.engine.start)(target.id)
            return ActionResult(f"{target.name} was started and is {await target.state_now()}.")

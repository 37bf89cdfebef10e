"""Stop a container."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.bot.infrastructure.actions.base import ActionContext, ActionResult, action_types
from app.bot.infrastructure.actions.container_action import ContainerAction


@action_types.register("docker_stop")
class DockerStop(ContainerAction, title="Docker stop"):
    """Stops a container of a Docker engine."""

    repeatable: ClassVar[bool] = True

    stop_seconds: int | None = Field(
        None, ge=0, le=3_600, description="Seconds until it is killed; empty: as the container was made, mostly 10"
    )

    def describe(self) -> str:
        """Name the container."""
        return f"Stops the container {self.container} of “{self.source}”."

    async def run(self, context: ActionContext) -> ActionResult:
        """Stop it, and wait for that."""
        async with self.target(context) as target:
            await context.progress(f"Stopping {target.name}")
            await target.engine.stop(target.id, self.stop_seconds)
            return ActionResult(f"{target.name} was stopped and is {await target.state_now()}.")

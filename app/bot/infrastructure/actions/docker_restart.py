"""Restart a container."""

from __future__ import annotations

from pydantic import Field

from app.bot.infrastructure.actions.base import ActionContext, ActionResult, action_types
from app.bot.infrastructure.actions.container_action import ContainerAction


@action_types.register("docker_restart")
class DockerRestart(ContainerAction, title="Docker restart"):
    """Stops a container of a Docker engine and starts it again, with the image and config it has."""

    stop_seconds: int | None = Field(
        None, ge=0, le=3_600, description="Seconds until it is killed; empty: as the container was made, mostly 10"
    )

    def describe(self) -> str:
        """Name the container."""
        return f"Restarts the container {self.container} of “{self.source}”."

    async def run(self, context: ActionContext) -> ActionResult:
        """Restart it, and wait for that."""
        async with self.target(context) as target:
            await context.progress(f"Restarting {target.name}")
            await target.engine.restart(target.id, self.stop_seconds)
            return ActionResult(f"{target.name} was restarted and is {await target.state_now()}.")

"""Pause a container, or let it go on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from app.bot.infrastructure.actions.base import ActionContext, ActionResult, action_types
from app.bot.infrastructure.actions.container_action import ContainerAction


@action_types.register("docker_pause")
class DockerPause(ContainerAction, title="Docker pause"):
    """Freezes a container of a Docker engine, or lets it go on. It keeps its memory and needs no processor."""

    repeatable: ClassVar[bool] = True

    mode: Literal["pause", "unpause"] = Field("pause", description="pause, or unpause to let it go on")

    def describe(self) -> str:
        """Name the container."""
        verb = "Pauses" if self.mode == "pause" else "Lets go on"
        return f"{verb} the container {self.container} of “{self.source}”."

    async def run(self, context: ActionContext) -> ActionResult:
        """Freeze it or let it go on; one that is as wanted stays so."""
        async with self.target(context) as target:
            wanted = "paused" if self.mode == "pause" else "running"
            if target.state == wanted:
                return ActionResult(f"{target.name} is {wanted} already.")
            await (target.engine.pause if self.mode == "pause" else target.engine.unpause)(target.id)
            return ActionResult(f"{target.name} is {await target.state_now()} now.")

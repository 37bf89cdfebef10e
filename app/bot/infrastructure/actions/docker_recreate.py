"""Recreate a container."""

from __future__ import annotations

from pydantic import Field

from app.bot.infrastructure.actions.base import ActionContext, ActionResult, action_types
from app.bot.infrastructure.actions.container_action import ContainerAction
from app.bot.infrastructure.sources.docker.recreate import recreate


@action_types.register("docker_recreate")
class DockerRecreate(ContainerAction, title="Docker recreate"):
    """Recreates a container with the same config, mounts and networks: mostly to run a newer image.

    Where the new one does not start, the old one is put back.
    """

    timeout_seconds: float = Field(
        900, ge=1, le=3_600, description="Seconds after which a run is broken off, and the old container put back"
    )
    pull: bool = Field(True, description="Fetch the newest image of that name first")

    def describe(self) -> str:
        """Name the container, and whether its image is fetched."""
        image = ", with the newest image of its name" if self.pull else ""
        return f"Recreates the container {self.container} of “{self.source}”{image}."

    async def run(self, context: ActionContext) -> ActionResult:
        """Exchange it for a new one."""
        async with self.target(context) as target:
            made = await recreate(target.engine, target.id, pull=self.pull, progress=context.progress)
            image = "Its image is new." if made.new_image else "Its image is the same as before."
            left = f" The old one could not be removed and is called {made.left_over}." if made.left_over else ""
            return ActionResult(f"{made.name} was recreated{' and runs' if made.is_running else ''}. {image}{left}")

"""Show the log of a container."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.bot.infrastructure.actions.base import ActionContext, ActionResult, action_types
from app.bot.infrastructure.actions.container_action import ContainerAction
from app.bot.infrastructure.sources.docker.logs import log_lines


@action_types.register("docker_logs")
class DockerLogs(ContainerAction, title="Docker logs"):
    """Shows the last lines of a container's log; many of them come as a file."""

    repeatable: ClassVar[bool] = True

    lines: int = Field(100, ge=1, le=5_000, description="How many lines")
    times: bool = Field(False, description="Begin each line with its time")

    def describe(self) -> str:
        """Name the container, and how much."""
        return f"Shows the last {self.lines} lines of the log of {self.container} in “{self.source}”."

    async def run(self, context: ActionContext) -> ActionResult:
        """Read them."""
        async with self.target(context) as target:
            rows = log_lines(await target.engine.logs(target.id, self.lines))[-self.lines :]
            if not rows:
                return ActionResult(f"The log of {target.name} is empty.")
            shown = [f"{row['time']} {row['message']}" if self.times else str(row["message"]) for row in rows]
            text = (
                f"The last {len(shown)} lines of {target.name}:"
                if len(shown) > 1
                else f"The last line of {target.name}:"
            )
            return ActionResult(text, "\n".join(shown), f"{target.name}.log")

"""Poll a data source now."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.bot.application.queries.overview import source_view
from app.bot.infrastructure.actions.base import Action, ActionContext, ActionResult, action_types


@action_types.register("poll_source")
class PollSource(Action, title="Poll source"):
    """Reads a data source now.

    The user sees what it gave; dashboards that show the source follow.
    """

    repeatable: ClassVar[bool] = True

    source: str = Field(min_length=1, description="Name of the data source")

    def describe(self) -> str:
        """Name the source."""
        return f"Reads the data source “{self.source}” now."

    async def run(self, context: ActionContext) -> ActionResult:
        """Poll, and show the new reading."""
        bot = context.resources.bot
        source = bot.source(self.source)
        reading = await bot.poll(source)
        said = f": {reading.message}" if reading.message else ""
        text = f"“{source.label}” is {reading.status.value}{said}"
        return ActionResult(text, view=source_view(source, reading))

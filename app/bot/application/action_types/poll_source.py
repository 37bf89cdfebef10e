"""Poll a data source now."""

from __future__ import annotations

from pydantic import Field

from app.bot.application.actions import ActionContext, ActionFailedError, ActionType, action_types
from app.bot.application.answers import Answer
from app.bot.application.collection import Collection
from app.bot.application.overview import source_view

_WAIT_SECONDS = 10.0


@action_types.register("poll_source")
class PollSource(ActionType):
    """Reads a data source now.

    The user sees what it gave; dashboards that show the source follow.
    """

    source: str = Field(min_length=1, description="Name of the data source")

    async def run(self, context: ActionContext) -> Answer:
        """Poll, and show the new reading."""
        source = context.definitions.sources.get(self.source)
        if source is None or not source.enabled:
            raise ActionFailedError(f"There is no data source “{self.source}”, or it is switched off.")
        await context.services.need(Collection, "collector").poll_now([self.source], _WAIT_SECONDS)
        return Answer(source_view(source, context.readings.latest(self.source)))

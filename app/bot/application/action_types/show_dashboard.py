"""Show a dashboard to the user who clicked."""

from __future__ import annotations

from pydantic import Field

from app.bot.application.actions import ActionContext, ActionType, action_types
from app.bot.application.answers import Answer


@action_types.register("show_dashboard")
class ShowDashboard(ActionType):
    """Shows a dashboard to the user who clicked.

    Nobody else sees the answer. Whether the user may look at that dashboard is checked as well.
    """

    dashboard: str = Field(min_length=1, description="Name of the dashboard")
    page: str | None = Field(None, description="Page to begin with; empty for the first")

    async def run(self, context: ActionContext) -> Answer:
        """Build the dashboard as it is now."""
        dashboard = context.dashboards.named(context.actor.guild_id, self.dashboard)
        return Answer(await context.dashboards.show(context.actor, dashboard, self.page))

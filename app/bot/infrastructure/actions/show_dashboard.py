"""Show a dashboard to the user who clicked."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from app.bot.infrastructure.actions.base import Action, ActionContext, ActionResult, action_types


@action_types.register("show_dashboard")
class ShowDashboard(Action, title="Show dashboard"):
    """Shows a dashboard to the user who clicked.

    No one else sees the answer. Whether the user may look at that dashboard is checked as well.
    """

    repeatable: ClassVar[bool] = True

    dashboard: str = Field(min_length=1, description="Name of the dashboard")
    page: str | None = Field(None, description="Page to begin with; empty for the first")

    def describe(self) -> str:
        """Name the dashboard."""
        return f"Shows the dashboard “{self.dashboard}”."

    async def run(self, context: ActionContext) -> ActionResult:
        """Build the dashboard as it is now."""
        bot = context.resources.bot
        dashboard = bot.dashboard(context.actor, self.dashboard)
        view = await bot.show(context.actor, dashboard, self.page)
        return ActionResult(f"Showed the dashboard “{dashboard.name}”.", view=view)

"""Clicks on buttons and selects: the custom_id carries all state, so they work after any restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.bot.application.publishing.dashboards import Dashboards
from app.bot.application.publishing.publisher import Publisher
from app.bot.application.rendering.answers import Answer
from app.bot.application.runtime.definitions import DefinitionCache
from app.bot.domain.actions.action import ActionCall
from app.bot.domain.actions.runs import Origin
from app.bot.domain.blocks.custom_id import CustomId
from app.bot.domain.components.types.buttons import REFRESH_VERB
from app.bot.domain.components.types.page_select import OWN_PAGE_VERB, PAGE_VERB
from app.bot.domain.components.types.variable_select import OWN_VARIABLE_VERB, VARIABLE_VERB
from app.bot.domain.components.variables import ALL, Choices
from app.bot.domain.dashboards.dashboard import Dashboard
from app.bot.domain.dashboards.placements import choices_of
from app.bot.domain.errors import HomelabError
from app.bot.domain.guilds import Actor


class GoneError(HomelabError):
    """What was clicked is not defined any more."""


class ForeignDashboardError(HomelabError):
    """A message of one guild's dashboard is shown in another guild, where no one has rights in it."""


@dataclass(frozen=True, slots=True)
class Click:
    """A click as Discord reports it.

    `page` and `variables` are what the message's own selects show as chosen; `own` tells a message that only this user
    sees: it is the memory of what the user chose.
    """

    custom_id: CustomId
    actor: Actor
    message_id: int
    values: tuple[str, ...] = ()
    page: str | None = None
    variables: Choices = field(default_factory=dict)
    own: bool = False


class Interactions:
    """Turns clicks into use cases by their verb."""

    def __init__(self, definitions: DefinitionCache, dashboards: Dashboards, publisher: Publisher) -> None:
        self._definitions = definitions
        self._dashboards = dashboards
        self._publisher = publisher
        self._verbs: dict[str, Callable[[Click, Dashboard], Awaitable[Answer]]] = {
            REFRESH_VERB: self._refresh,
            PAGE_VERB: self._page,
            OWN_PAGE_VERB: self._own_page,
            VARIABLE_VERB: self._variable,
            OWN_VARIABLE_VERB: self._own_variable,
        }

    async def click(self, click: Click) -> Answer:
        """Return what the user gets to see.

        Raises GoneError, ForeignDashboardError, PermissionRefusedError or what the use case raises.
        """
        dashboard = self._clicked(click)
        verb = self._verbs.get(click.custom_id.verb)
        if verb is None:
            raise GoneError("This button is of another version of the bot. Try again when the message has changed.")
        return await verb(click, dashboard)

    def action_of(self, click: Click, key: str) -> tuple[ActionCall, Origin]:
        """Return the action that a click means, with the values that stand in the row: the click only says which one.

        Raises GoneError or ForeignDashboardError.
        """
        dashboard = self._clicked(click)
        page, variables = self._chosen(click, dashboard)
        found = self._dashboards.call_of(dashboard, click.custom_id.component, key, page, variables)
        if found is not None:
            return found.call, Origin.SELECT if found.is_choice else Origin.BUTTON
        if key in self._definitions.actions:  # a message from before the button was changed; the right is checked
            return ActionCall(key), Origin.BUTTON
        raise GoneError("This button was changed meanwhile. The message follows in a moment.")

    async def redrawn(self, click: Click) -> Answer | None:
        """Return the clicked message as it is now; None where its user may not look. Raises what `click` raises."""
        dashboard = self._definitions.dashboard_of_component(click.custom_id.component)
        if dashboard is None or dashboard.guild_id != click.actor.guild_id:
            return None
        page, variables = self._chosen(click, dashboard)
        try:
            return await self._dashboards.show_on_message(click.actor, dashboard, click.message_id, page, variables)
        except HomelabError:
            return None

    def _clicked(self, click: Click) -> Dashboard:
        dashboard = self._definitions.dashboard_of_component(click.custom_id.component)
        if dashboard is None:
            raise GoneError("This part of the dashboard was removed meanwhile. The message follows in a moment.")
        if dashboard.guild_id != click.actor.guild_id:
            raise ForeignDashboardError("This dashboard belongs to another server. Its buttons work there only.")
        return dashboard

    async def _refresh(self, click: Click, dashboard: Dashboard) -> Answer:
        await self._dashboards.poll(click.actor, dashboard)
        page, variables = self._chosen(click, dashboard)
        answer = await self._dashboards.show_on_message(click.actor, dashboard, click.message_id, page, variables)
        self._publisher.refresh(dashboard.id)  # the dashboard's other messages follow; this one shows it already
        return answer

    async def _page(self, click: Click, dashboard: Dashboard) -> Answer:
        return await self._dashboards.show_on_message(
            click.actor, dashboard, click.message_id, _page_of(click), click.variables
        )

    async def _own_page(self, click: Click, dashboard: Dashboard) -> Answer:
        _, variables = self._chosen(click, dashboard)
        return await self._dashboards.show_own(click.actor, dashboard, _page_of(click), variables, in_place=click.own)

    async def _variable(self, click: Click, dashboard: Dashboard) -> Answer:
        chosen = (click.custom_id.argument, _values_of(click))
        answer = await self._dashboards.choose_on_message(click.actor, dashboard, click.message_id, chosen)
        return answer or await self._own_variable(click, dashboard)

    async def _own_variable(self, click: Click, dashboard: Dashboard) -> Answer:
        page, variables = self._chosen(click, dashboard)
        variables = {**variables, click.custom_id.argument: _values_of(click)}
        return await self._dashboards.show_own(click.actor, dashboard, page, variables, in_place=click.own)

    def _chosen(self, click: Click, dashboard: Dashboard) -> tuple[str | None, Choices]:
        """Return the page and the values that the clicked message shows."""
        placement = self._dashboards.placement(dashboard, click.message_id)
        if placement is None:
            return click.page, click.variables
        return placement.page, choices_of(placement)


def _page_of(click: Click) -> str | None:
    return (click.values[0] if click.values else click.custom_id.argument) or None


def _values_of(click: Click) -> tuple[str, ...]:
    return (ALL,) if ALL in click.values else click.values

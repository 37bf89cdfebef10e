"""Buttons and selects of every message, also of those that another process posted long ago."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from app.bot.application.actions.interactions import Click
from app.bot.domain.blocks.custom_id import CUSTOM_ID_PATTERN, CustomId
from app.bot.domain.components.types.page_select import OWN_PAGE_VERB, PAGE_VERB
from app.bot.domain.components.types.variable_select import OWN_VARIABLE_VERB, VARIABLE_VERB
from app.bot.interface.action_replies import ACTION_VERBS
from app.bot.interface.actors import actor_of

if TYPE_CHECKING:
    from app.bot.interface.client import HomelabClient

_PAGE_VERBS = frozenset({PAGE_VERB, OWN_PAGE_VERB})
_VARIABLE_VERBS = frozenset({VARIABLE_VERB, OWN_VARIABLE_VERB})


class Clickable(discord.ui.DynamicItem[discord.ui.Item[Any]], template=re.compile(CUSTOM_ID_PATTERN, re.DOTALL)):
    """Any button or select whose custom_id is of the product's form.

    One class for both kinds: the library keeps dynamic items by their pattern, so a second one would replace it.
    """

    def __init__(self, item: discord.ui.Item[Any], custom_id: CustomId) -> None:
        super().__init__(item)
        self._parsed = custom_id

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # the client is the product's own
        cls, _interaction: discord.Interaction[HomelabClient], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Made by the library when someone clicks."""
        return cls(item, CustomId(int(match["component"]), match["verb"], match["argument"]))

    async def callback(self, interaction: discord.Interaction[HomelabClient]) -> None:  # type: ignore[override]  # as above
        """Hand the click to the application, and its answer to the user."""
        data = cast("dict[str, Any]", interaction.data or {})
        click = click_of(interaction, self._parsed, tuple(data.get("values", ())))
        parts = interaction.client.parts
        interaction.client.statistics.clicks += 1
        if self._parsed.verb in ACTION_VERBS:
            await parts.action_replies.click(interaction, click)
            return
        await parts.replies.component(interaction, parts.interactions.click(click))


def click_of(interaction: discord.Interaction[Any], custom_id: CustomId, values: tuple[str, ...] = ()) -> Click:
    """Return a click as the application knows it, with what its message shows as chosen."""
    message = interaction.message
    page, variables = chosen_on(message) if message is not None else (None, {})
    return Click(
        custom_id=custom_id,
        actor=actor_of(interaction),
        message_id=message.id if message is not None else 0,
        values=values,
        page=page,
        variables=variables,
        own=message is not None and message.flags.ephemeral,
    )


def chosen_on(message: discord.Message) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the chosen page and values of variables that a message shows: a user's own message is the memory."""
    page: str | None = None
    variables: dict[str, tuple[str, ...]] = {}
    for component in _walk(message.components):
        parsed = CustomId.parse(getattr(component, "custom_id", None) or "")
        if parsed is None:
            continue
        if isinstance(component, discord.SelectMenu):
            chosen = tuple(option.value for option in component.options if option.default)
            if parsed.verb in _PAGE_VERBS:
                page = next(iter(chosen), page)
            elif parsed.verb in _VARIABLE_VERBS:
                variables[parsed.argument] = chosen
        elif parsed.verb in _PAGE_VERBS and getattr(component, "style", None) is discord.ButtonStyle.primary:
            page = parsed.argument
    return page, variables


def _walk(components: Any) -> Iterator[Any]:
    for component in components:
        yield component
        yield from _walk(getattr(component, "children", ()))

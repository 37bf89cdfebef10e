"""Buttons and selects of every message, also of those that another process posted long ago."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from app.bot.application.interactions import Click
from app.bot.domain.components.page_select import PAGE_VERB
from app.bot.domain.custom_id import CUSTOM_ID_PATTERN, CustomId
from app.bot.interface.actors import actor_of

if TYPE_CHECKING:
    from app.bot.interface.client import HomelabClient


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
        click = Click(
            custom_id=self._parsed,
            actor=actor_of(interaction),
            message_id=interaction.message.id if interaction.message else 0,
            values=tuple(data.get("values", ())),
            page=shown_page(interaction.message) if interaction.message else None,
        )
        client = interaction.client
        await client.replies.component(interaction, client.interactions.click(click))


def shown_page(message: discord.Message) -> str | None:
    """The page that a message shows by the chosen option of its own page select: the message is the memory."""
    for component in _walk(message.components):
        if isinstance(component, discord.SelectMenu):
            parsed = CustomId.parse(component.custom_id or "")
            if parsed is not None and parsed.verb == PAGE_VERB:
                return next((option.value for option in component.options if option.default), None)
    return None


def _walk(components: Any) -> Iterator[Any]:
    for component in components:
        yield component
        yield from _walk(getattr(component, "children", ()))

"""Neutral blocks to Discord's Components V2.

Limits of lengths: Discord's component reference. A text over its limit is cut here, for one label too long must not
keep a whole dashboard from being shown.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import discord
from discord import ui

from app.bot.domain.blocks.block import (
    Block,
    Button,
    Buttons,
    ButtonStyle,
    Container,
    Gallery,
    Image,
    Option,
    Problem,
    Section,
    Select,
    Separator,
    Stamp,
    Text,
    View,
)
from app.bot.domain.blocks.limits import MAX_CHARACTERS, problem_text, stamp_text
from app.bot.domain.formatting.markdown import shorten

LABEL_CHARACTERS = 80
OPTION_CHARACTERS = 100
PLACEHOLDER_CHARACTERS = 150
IMAGE_DESCRIPTION_CHARACTERS = 1_024
_BLANK = "\u200b"
"""Discord takes no empty text; a zero-width space draws the same nothing."""

Item: TypeAlias = "ui.Item[Any]"

_STYLES = {style: discord.ButtonStyle[style.value] for style in ButtonStyle}
_SMALL, _LARGE = discord.SeparatorSpacing.small, discord.SeparatorSpacing.large
_CUSTOM_EMOJI = re.compile(r"<(?P<animated>a?):(?P<name>\w{2,32}):(?P<id>\d{15,20})>")


def to_layout(view: View, marker: int | None = None) -> ui.LayoutView:
    """Return a view as discord.py sends it; `marker` becomes the id of its first top-level component.

    Clicks are dispatched by the custom_id alone, so the layout has no timeout and is kept nowhere. Raises ValueError
    for more than the 40 components that Discord takes.
    """
    layout = ui.LayoutView(timeout=None)
    for block in view.blocks:
        item = _item(block)
        if marker is not None:
            item.id, marker = marker, None
        layout.add_item(item)
    return layout


def _item(block: Block) -> Item:  # noqa: PLR0911  # one case for each kind of block
    match block:
        case Text():
            text = block.text
            return ui.TextDisplay(text if 0 < len(text) <= MAX_CHARACTERS else _cut(text))
        case Container():
            return ui.Container(*map(_item, block.children), accent_colour=block.accent)
        case Separator():
            return ui.Separator(visible=block.line, spacing=_LARGE if block.large else _SMALL)
        case Section():
            return ui.Section(*(_text(text.text) for text in block.texts), accessory=_accessory(block.accessory))
        case Buttons():
            return ui.ActionRow(*map(_button, block.buttons))
        case Select():
            return ui.ActionRow(_select(block))
        case Gallery():
            return ui.MediaGallery(*map(_picture, block.images))
        case Problem():
            return _text(problem_text(block))
        case Stamp():
            return _text(stamp_text(block))


def _text(text: str) -> ui.TextDisplay[Any]:
    return ui.TextDisplay(_cut(text))


def _cut(text: str) -> str:
    return shorten(text, MAX_CHARACTERS) or _BLANK


def _accessory(accessory: Button | Image) -> Item:
    if isinstance(accessory, Button):
        return _button(accessory)
    return ui.Thumbnail(accessory.url, description=_description(accessory))


def _picture(image: Image) -> discord.MediaGalleryItem:
    return discord.MediaGalleryItem(image.url, description=_description(image))


def _description(image: Image) -> str | None:
    return shorten(image.description, IMAGE_DESCRIPTION_CHARACTERS) if image.description else None


def _button(button: Button) -> ui.Button[Any]:
    emoji = _emoji(button.emoji)
    label = shorten(button.label, LABEL_CHARACTERS) or (None if emoji else _BLANK)
    if button.url is not None:
        return ui.Button(label=label, url=button.url, emoji=emoji, disabled=button.disabled)
    return ui.Button(
        label=label,
        custom_id=button.custom_id,
        style=_STYLES[button.style],
        emoji=emoji,
        disabled=button.disabled,
    )


def _select(select: Select) -> ui.Select[Any]:
    placeholder = shorten(select.placeholder, PLACEHOLDER_CHARACTERS) if select.placeholder else None
    return ui.Select(
        custom_id=select.custom_id,
        placeholder=placeholder,
        options=list(map(_option, select.options)),
        max_values=select.max_values,
    )


def _option(option: Option) -> discord.SelectOption:
    return discord.SelectOption(
        label=shorten(option.label, OPTION_CHARACTERS) or _BLANK,
        value=option.value,
        description=shorten(option.description, OPTION_CHARACTERS) if option.description else None,
        emoji=_emoji(option.emoji),
        default=option.selected,
    )


def _emoji(text: str | None) -> discord.PartialEmoji | None:
    """Return a unicode emoji, or a custom one written `<:name:id>`; None for anything else.

    Discord refuses the whole message for a word in the place of an emoji, so that one is left out.
    """
    if not text:
        return None
    custom = _CUSTOM_EMOJI.fullmatch(text)
    if custom is not None:
        # Discord describes ids as strings; discord.py would send a number for one that it parsed itself.
        number: Any = custom["id"]
        return discord.PartialEmoji(name=custom["name"], animated=bool(custom["animated"]), id=number)
    is_unicode = not text.isascii() and not any(letter.isascii() and letter.isalpha() for letter in text)
    return discord.PartialEmoji(name=text) if is_unicode else None

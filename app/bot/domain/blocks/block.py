"""Neutral drawables: what a dashboard looks like, without a word of Discord or HTML.

A block is a frozen value, so two views can be compared to decide whether a message needs an edit.
`text` is Discord-flavoured Markdown; whatever came from outside was escaped before it got here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from app.bot.domain.charts.chart import Picture


class ButtonStyle(StrEnum):
    """Discord's button styles that carry a custom_id."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    SUCCESS = "success"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of Markdown, 1 to 4,000 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button: exactly one of `custom_id` (it comes back as a click) and `url` (it opens a page)."""

    label: str
    custom_id: str | None = None
    url: str | None = None
    style: ButtonStyle = ButtonStyle.SECONDARY
    emoji: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of 1 to 5 buttons."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select; label, value and description of at most 100 characters."""

    label: str
    value: str
    description: str | None = None
    emoji: str | None = None
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """A drop-down with 1 to 25 options, alone in its row; from 1 to `max_values` of them can be chosen."""

    custom_id: str
    options: tuple[Option, ...]
    placeholder: str | None = None
    max_values: int = 1


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: by https URL, or a file that is sent with the message (then `url` refers to the attachment)."""

    url: str
    description: str | None = None
    picture: Picture | None = None

    @classmethod
    def of(cls, picture: Picture, description: str | None = None) -> Image:
        """Return the image that shows an attached picture, described by itself unless it is said otherwise."""
        return cls(f"attachment://{picture.filename}", description or picture.description or None, picture)


@dataclass(frozen=True, slots=True)
class Gallery:
    """1 to 10 pictures side by side."""

    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """1 to 3 texts with one accessory at their right."""

    texts: tuple[Text, ...]
    accessory: Button | Image


@dataclass(frozen=True, slots=True)
class Separator:
    """Vertical space, with a line if `line`."""

    line: bool = True
    large: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A readable error in the place of what could not be shown: what it is about, and what is wrong."""

    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A small line with a time that ticks by itself in Discord. The time alone never makes a message worth an edit."""

    label: str
    at: datetime = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Container:
    """Blocks in a frame with an accent colour (0xRRGGBB). Containers do not nest in Discord."""

    children: tuple[Block, ...]
    accent: int | None = None


Block: TypeAlias = Text | Buttons | Select | Gallery | Section | Separator | Problem | Stamp | Container


@dataclass(frozen=True, slots=True)
class View:
    """What one message shows, and the problems met while building it (also drawn in place as Problem blocks).

    `pending` says that history or a chart was not there yet: the same dashboard shows more in a moment. `following` is
    what further messages show, where one cannot hold the dashboard.
    """

    blocks: tuple[Block, ...]
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    pending: bool = field(default=False, compare=False)
    following: tuple[View, ...] = ()

    @property
    def messages(self) -> tuple[View, ...]:
        """One view for each message, in order; the first one tells the problems of all."""
        return (self, *self.following)

    @property
    def fingerprint(self) -> str:
        """A digest of all that the message shows: equal views have equal ones, also across processes and restarts."""
        # repr of frozen dataclasses of str, int, bool and tuples is complete and stable.
        return hashlib.blake2b(repr(self.blocks).encode(), digest_size=16).hexdigest()

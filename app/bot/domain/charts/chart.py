"""Charts: a Vega-Lite specification is asked for, a picture comes back when it is drawn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from app.bot.domain.errors import HomelabError


class ChartFailedError(HomelabError):
    """A specification that cannot be drawn; the text says what is wrong with it."""


@dataclass(frozen=True)
class ChartRequest:
    """A Vega-Lite specification with its data in it, as JSON text. `description` is for those who see no picture."""

    specification: str
    description: str = ""

    @cached_property
    def digest(self) -> str:
        """A digest of the content: equal charts are drawn and uploaded once."""
        content = f"{self.specification}\0{self.description}"
        return hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file of a message. Two pictures are equal if their content is, which `digest` tells.

    `description` is the one of the request that it was drawn for: what is said belongs to what is seen.
    """

    digest: str
    png: bytes = field(compare=False, repr=False)
    description: str = field(default="", compare=False, repr=False)

    @property
    def filename(self) -> str:
        """The name of the attachment: another content has another name."""
        return f"{self.digest}.png"


class Charts(Protocol):
    """Draws charts beside the event loop and remembers them by content."""

    def find(self, request: ChartRequest, slot: str, dashboard_id: int) -> Picture | None:
        """Return the newest picture that is ready for a slot of a dashboard, maybe of an earlier request for that slot.

        None while there is none: the dashboard is woken when there is. Raises ChartFailedError.
        """
        ...


class NoCharts:
    """Stands where no charts can be drawn."""

    def find(self, request: ChartRequest, slot: str, dashboard_id: int) -> Picture | None:
        """None, as for a chart that is not drawn yet."""
        return None

"""The time component."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Template, Title
from app.bot.domain.components.lines import title_lines
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.moments import moment_of, stamp_of


class TimeStyle(StrEnum):
    """What is shown of a time."""

    TIME = "time"
    DATE = "date"
    BOTH = "both"
    FULL = "full"
    RELATIVE = "relative"


_STYLES = {
    TimeStyle.TIME: "t",
    TimeStyle.DATE: "D",
    TimeStyle.BOTH: "f",
    TimeStyle.FULL: "F",
    TimeStyle.RELATIVE: "R",
}
"""Discord's styles of timestamps (documentation, message formatting)."""


@component_types.register("time")
class Time(Component, title="Time"):
    """A time on every reader's own clock."""

    title: Title = Field("", description="What it is, a Jinja2 template")
    at: Template = Field(
        min_length=1, description="When: ISO 8601, seconds since 1970, or a Jinja2 template that prints one of these"
    )
    style: TimeStyle = Field(TimeStyle.BOTH, description="time, date, both, full (with the weekday) or relative")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`**Last backup** <t:...:f>`. Raises InvalidConfigError for what is no time."""
        text = context.plain(self.at).strip()
        moment = moment_of(text)
        if moment is None:
            raise InvalidConfigError(
                f"at: “{shorten(one_line(text), 60)}” is no time. Write it as 2027-01-31T18:00+01:00"
            )
        return (Text(" ".join([*title_lines(context, self.title), stamp_of(moment, _STYLES[self.style])])),)

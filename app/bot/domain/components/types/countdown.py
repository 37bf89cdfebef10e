"""The countdown component."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, model_validator

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import Template, Title
from app.bot.domain.components.lines import title_lines
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.moments import moment_of, stamp_of


@component_types.register("countdown")
class Countdown(Component, title="Countdown"):
    """How long until something, or since: Discord counts by itself, in every reader's own time zone."""

    title: Title = Field("", description="What it is, a Jinja2 template")
    at: Template = Field(
        "", description="When: ISO 8601 such as 2027-01-01T00:00+01:00, or a Jinja2 template that prints a time"
    )
    source: str = Field("", max_length=200, description="Or: a data source whose metric holds the time")
    metric: str = Field("", max_length=200, description="That metric, in seconds since 1970")
    date: bool = Field(True, description="Write the date and time as well")
    past: str = Field("", max_length=200, description="Shown instead once it has passed; empty goes on counting")

    @model_validator(mode="after")
    def _one_origin(self) -> Countdown:
        if bool(self.at) == bool(self.source):
            raise ValueError("fill in either at, or source and metric")
        if bool(self.source) != bool(self.metric):
            raise ValueError("source and metric belong together: fill in both")
        return self

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Render `**New year** <t:...:R>` and the date in small. Raises InvalidConfigError for what is no time."""
        moment = self._moment(context)
        lines = title_lines(context, self.title)
        if moment is None:
            return (Text("\n".join([*lines, "no data"])),)
        past = one_line(self.past).strip()
        if past and moment <= context.now:
            return (Text("\n".join([*lines, past])),)
        lines.append(f"## {stamp_of(moment)}")
        if self.date:
            lines.append(f"-# {stamp_of(moment, 'F')}")
        return (Text("\n".join(lines)),)

    def _moment(self, context: RenderContext) -> datetime | None:
        if self.source:
            reference = MetricReference.model_construct(source=self.source, metric=self.metric, labels={})
            return moment_of(context.metric(reference).value)
        text = context.plain(self.at).strip()
        moment = moment_of(text)
        if moment is None:
            raise InvalidConfigError(
                f"at: “{shorten(one_line(text), 60)}” is no time. Write it as 2027-01-31T18:00+01:00"
            )
        return moment

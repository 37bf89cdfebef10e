"""The key-value component."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, MetricReference, RenderContext, component_types
from app.bot.domain.components.fields import Template, Title
from app.bot.domain.components.lines import detail_text, name_text, text_of, title_lines
from app.bot.domain.components.metric_display import MetricStyle
from app.bot.domain.formatting.markdown import inline_code, one_line
from app.bot.domain.formatting.monospace import display_width, padded
from app.bot.domain.formatting.units import MISSING


class KeyValueStyle(StrEnum):
    """How the pairs are set."""

    LINES = "lines"
    ALIGNED = "aligned"
    INLINE = "inline"


class Pair(MetricStyle):
    """A name with a value: a metric, or what a template prints."""

    source: str = Field("", max_length=200, description="Name of the data source of the metric to show")
    metric: str = Field("", max_length=200, description="Name of the metric to show")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that tell metrics of one name apart")
    text: Template = Field("", description="Or: a Jinja2 template that prints the value")

    @model_validator(mode="after")
    def _one_kind_of_value(self) -> Pair:
        if bool(self.source) != bool(self.metric):
            raise ValueError("source and metric belong together: fill in both")
        if bool(self.source) == bool(self.text):
            raise ValueError("fill in either text, or source and metric")
        if self.text and not self.label:
            raise ValueError("label is needed where text gives the value")
        return self

    @property
    def name(self) -> str:
        """The label, or the metric's own name."""
        return self.label or self.metric

    def printed(self, context: RenderContext) -> str:
        """Return the value with its mark, or “no data”."""
        if self.text:
            return detail_text(context, self.text) or MISSING
        reference = MetricReference.model_construct(source=self.source, metric=self.metric, labels=self.labels)
        return "".join(self.shown(context, context.metric(reference), reference))


@component_types.register("key_value")
class KeyValue(Component, title="Keys and values"):
    """Names with their values, one below the other."""

    title: Title = Field("", description="A line above, a Jinja2 template; empty for none")
    pairs: list[Pair] = Field(min_length=1, max_length=40, description="The names and values")
    style: KeyValueStyle = Field(
        KeyValueStyle.LINES, description="lines, aligned (values below each other), or inline (all in one paragraph)"
    )

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`**Uptime** 3 d 4 h` for each pair."""
        values = [pair.printed(context) for pair in self.pairs]
        if self.style is KeyValueStyle.ALIGNED:
            names = [one_line(pair.name) for pair in self.pairs]
            width = min(max(map(display_width, names)), 24)
            lines = [f"{inline_code(padded(name, width))} {value}" for name, value in zip(names, values, strict=True)]
        else:
            lines = [f"**{name_text(pair.name)}** {value}" for pair, value in zip(self.pairs, values, strict=True)]
        if self.style is KeyValueStyle.INLINE:
            lines = [" · ".join(lines)]
        return text_of(title_lines(context, self.title) + lines)

"""The metric component."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.blocks.block import Block, Text
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Template
from app.bot.domain.components.lines import detail_text
from app.bot.domain.components.metric_display import MetricDisplay


@component_types.register("metric")
class MetricComponent(Component, MetricDisplay, title="Metric"):
    """One value with its name and unit."""

    large: bool = Field(False, description="Show the value as a large number with its name above")
    detail: Template = Field("", description="More about it, a Jinja2 template; empty for none")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """`🟢 **CPU** 42 %`, or the name in small above the large value."""
        metric = context.metric(self)
        mark, value = self.shown(context, metric, self)
        detail = detail_text(context, self.detail)
        if self.large:
            return (Text(f"-# {self.name_shown}\n## {mark}{value}" + (f"\n-# {detail}" if detail else "")),)
        return (Text(f"{mark}**{self.name_shown}** {value}" + (f" · {detail}" if detail else "")),)

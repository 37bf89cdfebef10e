"""The separator component."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from app.bot.domain.blocks.block import Block, Separator
from app.bot.domain.components.component import Component, RenderContext, component_types


@component_types.register("separator")
class SeparatorComponent(Component, title="Separator"):
    """Space between two parts, with or without a line."""

    line: bool = Field(True, description="Draw a line in the middle of the space")
    large: bool = Field(False, description="Leave more space")

    def render(self, context: RenderContext) -> tuple[Block, ...]:  # the same for every context
        """Return the separator."""
        return self._blocks

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        return (Separator(self.line, self.large),)

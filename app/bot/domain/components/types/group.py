"""The group component."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.fields import Condition
from app.bot.domain.components.nesting import Body, nested_calls, render_nested


@component_types.register("group")
class Group(Component, title="Group"):
    """Components that are shown together, when a condition holds."""

    visible_when: Condition = Field(
        "", description="A CEL condition, such as status('nas') != 'up' or metric('nas', 'disk') > 90.0; empty: always"
    )
    children: Body = Field(min_length=1, description="What is shown when the condition holds")
    otherwise: Body = Field(default_factory=list, description="What is shown when it does not")

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """Return the children, or what stands for them. Raises ExpressionFailedError for a condition that is wrong."""
        return render_nested(context, self._shown(context))

    def calls(self, context: RenderContext) -> tuple[ButtonCall, ...]:
        """Return the calls of what is shown. Raises ExpressionFailedError."""
        return nested_calls(context, self._shown(context))

    def _shown(self, context: RenderContext) -> Body:
        return self.children if not self.visible_when or context.test(self.visible_when) else self.otherwise

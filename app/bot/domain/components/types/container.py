"""The container component."""

from __future__ import annotations

from pydantic import Field

from app.bot.domain.actions.action import ButtonCall
from app.bot.domain.blocks.block import Block, Container
from app.bot.domain.components.component import Component, RenderContext, component_types
from app.bot.domain.components.nesting import Body, nested_calls, render_nested
from app.bot.domain.readings.thresholds import STATUS_LEVELS, worst


@component_types.register("container")
class ContainerComponent(Component, title="Container"):
    """Components in a frame of their own, with a coloured edge.

    Discord's frames do not nest: the frame of a dashboard ends before this one and goes on behind it.
    """

    children: Body = Field(min_length=1, description="What stands in the frame")
    accent: str | None = Field(
        None,
        pattern=r"^(#[0-9A-Fa-f]{6}|status)$",
        description="Colour of the edge: #RRGGBB, or “status” for the colour of the worst status that is shown in it",
    )

    def render(self, context: RenderContext) -> tuple[Block, ...]:
        """One frame; frames within it, which Discord does not have, are opened."""
        before = len(context.statuses)
        children = render_nested(context, self.children)
        if not children:
            return ()
        return (Container(tuple(_without_frames(children)), self._colour(context, before)),)

    def calls(self, context: RenderContext) -> tuple[ButtonCall, ...]:
        """Return the calls of the children."""
        return nested_calls(context, self.children)

    def _colour(self, context: RenderContext, before: int) -> int | None:
        if self.accent is None:
            return None
        if self.accent == "status":
            return worst(STATUS_LEVELS[status] for status in context.statuses[before:]).accent
        return int(self.accent.removeprefix("#"), 16)


def _without_frames(blocks: tuple[Block, ...]) -> list[Block]:
    return [part for block in blocks for part in (block.children if isinstance(block, Container) else (block,))]

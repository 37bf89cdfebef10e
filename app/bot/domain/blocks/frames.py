"""The frame around a dashboard, where parts of it have frames of their own: Discord's containers do not nest."""

from __future__ import annotations

from collections.abc import Sequence

from app.bot.domain.blocks.block import Block, Container, Separator


def framed(blocks: Sequence[Block], accent: int | None) -> tuple[Block, ...]:
    """Frame the blocks in this accent colour; a block that is a frame keeps its own and stands between two frames.

    Lines and space at the edge of a frame, which separates well enough by itself, are left out.
    """
    frames: list[Block] = []
    waiting: list[Block] = []
    for block in (*blocks, None):
        if block is not None and not isinstance(block, Container):
            waiting.append(block)
            continue
        inner = _without_edges(waiting)
        if inner:
            frames.append(Container(inner, accent))
        waiting = []
        if block is not None:
            frames.append(block)
    return tuple(frames)


def _without_edges(blocks: Sequence[Block]) -> tuple[Block, ...]:
    solid = [position for position, block in enumerate(blocks) if not isinstance(block, Separator)]
    return tuple(blocks[solid[0] : solid[-1] + 1]) if solid else ()

"""The frame of a dashboard around parts with frames of their own."""

from __future__ import annotations

from app.bot.domain.blocks.block import Container, Separator, Text
from app.bot.domain.blocks.frames import framed

A, B, C = Text("a"), Text("b"), Text("c")
OWN = Container((B,), 1)


def test_parts_with_a_frame_stand_between_others() -> None:
    assert framed([A, OWN, C], 2) == (Container((A,), 2), OWN, Container((C,), 2))
    assert framed([OWN, OWN], 2) == (OWN, OWN)
    assert framed([A, C], None) == (Container((A, C)),)


def test_lines_at_the_edges_are_left_out() -> None:
    line = Separator()
    assert framed([line, A, line, C, line, OWN, line], 2) == (Container((A, line, C), 2), OWN)
    assert framed([], 2) == ()

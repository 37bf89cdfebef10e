"""The container component."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.blocks.block import Container, Text
from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.thresholds import Level
from tests.support.rendering import component, context, down, metrics, render, store

HELLO: dict[str, Any] = {"type": "text", "config": {"text": "hello"}}


def reads(source: str) -> dict[str, Any]:
    return {"type": "text", "config": {"text": f"{{{{ status('{source}') }}}}"}}


def test_children_stand_in_a_frame() -> None:
    assert render("container", {"children": [HELLO, HELLO]}) == (Container((Text("hello"), Text("hello"))),)
    (block,) = render("container", {"children": [HELLO], "accent": "#0A0b0C"})
    assert isinstance(block, Container)
    assert block.accent == 0x0A0B0C


def test_the_colour_is_that_of_the_worst_status_within() -> None:
    surroundings = context(store(nas=metrics(), web=down()))
    surroundings.reading("web")  # outside of the container
    (green,) = component("container", {"children": [reads("nas")], "accent": "status"}).render(surroundings)
    (red,) = component("container", {"children": [reads("nas"), reads("web")], "accent": "status"}).render(surroundings)
    assert isinstance(green, Container)
    assert isinstance(red, Container)
    assert (green.accent, red.accent) == (Level.OK.accent, Level.CRITICAL.accent)


def test_a_frame_within_a_frame_is_opened() -> None:
    inner = {"type": "container", "config": {"children": [HELLO]}}
    assert render("container", {"children": [HELLO, inner]}) == (Container((Text("hello"), Text("hello"))),)


def test_an_empty_frame_is_not_shown() -> None:
    assert render("container", {"children": [{**HELLO, "visible_when": "false"}]}) == ()


@pytest.mark.parametrize("config", [{"children": []}, {"children": [HELLO], "accent": "red"}])
def test_what_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigError):
        component("container", config)

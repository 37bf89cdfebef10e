"""The section component."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.blocks.block import Button, ButtonStyle, Image, Section, Text
from app.bot.domain.errors import InvalidConfigError
from tests.support.rendering import component, render


def test_texts_with_a_button() -> None:
    config = {"texts": ["**Web** {{ 1 + 1 }}", "-# fine"], "button": {"label": "Again", "emoji": "🔄"}}
    button = Button("Again", custom_id="hl:7:refresh:", emoji="🔄")
    assert render("section", config) == (Section((Text("**Web** 2"), Text("-# fine")), button),)


@pytest.mark.parametrize(
    ("button", "made"),
    [
        (
            {"label": "Restart", "do": "action", "action": "restart", "style": "danger"},
            Button("Restart", custom_id="hl:7:action:restart", style=ButtonStyle.DANGER),
        ),
        (
            {"label": "Open", "do": "open", "url": "https://{{ dashboard.name }}.example/"},
            Button("Open", url="https://Lab.example/"),
        ),
    ],
)
def test_buttons(button: dict[str, Any], made: Button) -> None:
    assert render("section", {"texts": ["x"], "button": button}) == (Section((Text("x"),), made),)


def test_texts_with_a_picture() -> None:
    thumbnail = {"url": "https://example.org/a_b.png", "description": "A *picture*"}
    image = Image("https://example.org/a_b.png", "A *picture*")
    assert render("section", {"texts": ["x"], "thumbnail": thumbnail}) == (Section((Text("x"),), image),)


def test_without_anything_at_the_right_there_are_plain_texts() -> None:
    assert render("section", {"texts": ["x", "{{ '' }}", "y"]}) == (Text("x"), Text("y"))


def test_a_section_whose_texts_print_nothing_is_not_shown() -> None:
    assert render("section", {"texts": ["{{ '' }}"], "button": {"label": "Again"}}) == ()


@pytest.mark.parametrize(
    "config",
    [
        {"texts": []},
        {"texts": ["a"] * 4},
        {"texts": ["a"], "button": {"label": "x"}, "thumbnail": {"url": "https://e.org/"}},
        {"texts": ["a"], "button": {"label": "x", "do": "action"}},
        {"texts": ["a"], "button": {"label": "x", "do": "open"}},
    ],
)
def test_what_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigError):
        component("section", config)


@pytest.mark.parametrize("url", ["http://nas:8080/", "ftp://example.org/", "https://a b/"])
def test_an_address_that_discord_refuses_is_named(url: str) -> None:
    with pytest.raises(InvalidConfigError, match=r"button\.url"):
        render("section", {"texts": ["a"], "button": {"label": "x", "do": "open", "url": url}})

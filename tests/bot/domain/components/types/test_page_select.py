"""The page select component."""

from __future__ import annotations

import pytest

from app.bot.domain.blocks.block import Button, Buttons, ButtonStyle, Option, Select
from app.bot.domain.errors import InvalidConfigError
from tests.support.rendering import component, render

OPTIONS = [{"page": "disks", "label": "Disks", "description": "Space and speed", "emoji": "💾"}, {"page": "network"}]


def test_the_page_that_is_shown_is_marked() -> None:
    assert render("page_select", {"options": OPTIONS}, page="network") == (
        Select(
            "hl:7:page:",
            (Option("Disks", "disks", "Space and speed", "💾"), Option("network", "network", selected=True)),
            "Choose a page",
        ),
    )


def test_without_pages_none_is_marked() -> None:
    (select,) = render("page_select", {"options": OPTIONS, "placeholder": " "})
    assert isinstance(select, Select)
    assert not any(option.selected for option in select.options)
    assert select.placeholder is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "options"),
        ([{"page": f"p{number}"} for number in range(26)], "options"),
        ([{"page": "a"}, {"page": "a"}], "the page “a” twice; remove one"),
        ([{"page": "x" * 101}], r"options\.0\.page"),
        ([{"page": " "}], r"options\.0\.page"),
        ([{"page": "a", "description": "x" * 101}], r"options\.0\.description"),
    ],
)
def test_wrong_options_are_refused_by_name(options: list[dict[str, str]], problem: str) -> None:
    with pytest.raises(InvalidConfigError, match=problem):
        component("page_select", {"options": options})


def test_buttons_are_tabs_with_the_shown_one_highlighted() -> None:
    blocks = render("page_select", {"options": OPTIONS, "style": "buttons"}, page="network")
    assert blocks == (
        Buttons(
            (
                Button("Disks", "hl:7:page:disks", emoji="💾"),
                Button("network", "hl:7:page:network", style=ButtonStyle.PRIMARY),
            )
        ),
    )


def test_many_buttons_stand_in_rows_of_five() -> None:
    options = [{"page": f"p{number}"} for number in range(12)]
    blocks = render("page_select", {"options": options, "style": "buttons"})
    assert [len(block.buttons) for block in blocks if isinstance(block, Buttons)] == [5, 5, 2]


def test_pages_of_ones_own_come_back_with_another_verb() -> None:
    (select,) = render("page_select", {"options": OPTIONS, "scope": "personal"})
    (buttons,) = render("page_select", {"options": OPTIONS, "scope": "personal", "style": "buttons"})
    assert isinstance(select, Select)
    assert isinstance(buttons, Buttons)
    assert select.custom_id == "hl:7:own_page:"
    assert buttons.buttons[0].custom_id == "hl:7:own_page:disks"


def test_a_page_that_no_button_can_carry_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="a page with more than 70 characters"):
        component("page_select", {"options": [{"page": "x" * 71}], "style": "buttons"})

"""The page select component."""

from __future__ import annotations

import pytest

from app.bot.domain.blocks import Option, Select
from app.bot.domain.errors import InvalidConfigError
from tests.rendering import component, render

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

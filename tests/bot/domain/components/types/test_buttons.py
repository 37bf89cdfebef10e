"""The buttons component."""

from __future__ import annotations

from typing import Any

import pytest

from app.bot.domain.blocks.block import Button, Buttons, ButtonStyle
from app.bot.domain.blocks.custom_id import CustomId
from app.bot.domain.errors import InvalidConfigError
from tests.support.rendering import component, render

REFRESH = {"label": "Refresh", "emoji": "🔄"}


def action(name: str, **more: Any) -> dict[str, Any]:
    return {"label": name.title(), "do": "action", "action": name, **more}


def test_custom_ids_say_what_a_click_does() -> None:
    (row,) = render("buttons", {"buttons": [REFRESH, action("restart plex", style="danger")]})
    assert row == Buttons(
        (
            Button("Refresh", custom_id="hl:7:refresh:", emoji="🔄"),
            Button("Restart Plex", custom_id="hl:7:action:restart plex", style=ButtonStyle.DANGER),
        )
    )


def test_the_longest_action_fits_and_comes_back() -> None:
    (row,) = render("buttons", {"buttons": [action("x" * 64)]})
    assert isinstance(row, Buttons)
    assert CustomId.parse(row.buttons[0].custom_id or "") == CustomId(7, "action", "x" * 64)
    assert len(str(CustomId(10**18 - 1, "action", "x" * 64))) <= 100


def test_more_than_five_buttons_take_more_rows() -> None:
    rows = render("buttons", {"buttons": [action(f"a{number}") for number in range(25)]})
    assert [len(row.buttons) for row in rows if isinstance(row, Buttons)] == [5] * 5


@pytest.mark.parametrize(
    ("buttons", "problem"),
    [
        ([{"label": "A", "do": "action"}], r"buttons\.0: action is missing"),
        ([{"label": "A", "action": "x"}], "action has no effect on a refresh button"),
        ([REFRESH, REFRESH], r"button 2 does the same as another \(refresh\)"),
        ([action("a"), action("a")], r"the action “a”\); remove one"),
        ([{"label": " "}], r"buttons\.0\.label"),
        ([{"label": "A" * 81}], r"buttons\.0\.label"),
        ([{"label": "A", "emoji": ":smile:"}], r"buttons\.0\.emoji"),
        ([{"label": "A", "style": "link"}], r"buttons\.0\.style"),
        ([], "buttons"),
        ([action(f"a{number}") for number in range(26)], "buttons"),
    ],
)
def test_wrong_buttons_are_refused_by_name(buttons: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(InvalidConfigError, match=problem):
        component("buttons", {"buttons": buttons})

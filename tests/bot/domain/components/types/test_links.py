"""The links component."""

from __future__ import annotations

import pytest

from app.bot.domain.blocks.block import Button, Buttons, Text
from app.bot.domain.errors import InvalidConfigError
from tests.support.rendering import component, render


def test_five_buttons_in_a_row() -> None:
    links = [{"label": f"Link {number}", "url": f"https://x.org/{number}"} for number in range(7)]
    first, second = render("links", {"links": links})
    assert isinstance(first, Buttons)
    assert isinstance(second, Buttons)
    assert [len(first.buttons), len(second.buttons)] == [5, 2]
    assert first.buttons[0] == Button("Link 0", url="https://x.org/0")


def test_an_address_can_be_a_template() -> None:
    (row,) = render("links", {"links": [{"label": "A", "url": "http://10.0.0.2/{{ 'a-b_c' }}", "emoji": "📺"}]})
    assert row == Buttons((Button("A", url="http://10.0.0.2/a-b_c", emoji="📺"),))


def test_hosts_that_discord_takes_no_button_for_are_written_out() -> None:
    links = [
        {"label": "NAS_1", "url": "http://nas:8080/", "emoji": "💾"},
        {"label": "Here", "url": "http://localhost/"},
        {"label": "Six", "url": "http://[fe80::1]/"},
        {"label": "Router", "url": "https://router.lan/"},
    ]
    written, row = render("links", {"links": links})
    assert written == Text(
        "💾 **NAS\\_1** `http://nas:8080/`\n**Here** `http://localhost/`\n**Six** `http://[fe80::1]/`"
    )
    assert row == Buttons((Button("Router", url="https://router.lan/"),))


def test_a_wrong_address_is_named() -> None:
    links = [{"label": "A", "url": "https://x.org"}, {"label": "B", "url": "steam://run"}]
    with pytest.raises(InvalidConfigError, match=r"links\.2\.url: .*must start with https:// or http://"):
        render("links", {"links": links})


def test_what_is_no_emoji_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidConfigError, match=r"links\.0\.emoji: must be one emoji such as"):
        component("links", {"links": [{"label": "A", "url": "https://x.org", "emoji": "漢"}]})

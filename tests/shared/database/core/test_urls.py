from __future__ import annotations

import pytest

from app.shared.database.core.errors import DatabaseRefusedError
from app.shared.database.core.urls import DatabaseUrls, bot_url, describe, plain_url

SOCKET = "postgresql://postgres:@/homelab?host=/var/lib/homelab/postgres"


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("postgres://a:b@c/d", "postgresql://a:b@c/d"),
        ("postgresql+asyncpg://a:b@c/d", "postgresql://a:b@c/d"),
        (" postgresql://a:b@c/d\n", "postgresql://a:b@c/d"),
        (SOCKET, SOCKET),
    ],
)
def test_addresses_of_every_notation_become_asyncpgs(url: str, plain: str) -> None:
    assert plain_url(url) == plain


@pytest.mark.parametrize("url", ["mysql://root:marlin@db/x", "marlin", "", "postgresql:marlin"])
def test_another_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DatabaseRefusedError, match="must look like") as caught:
        plain_url(url)
    assert "marlin" not in str(caught.value)


@pytest.mark.parametrize(
    ("owner", "password", "bot"),
    [
        (SOCKET, None, SOCKET.replace("postgres:@", "homelab_bot:@")),
        ("postgresql://a:b@db:5433/lab", "x/y@z", "postgresql://homelab_bot:x%2Fy%40z@db:5433/lab"),
        (
            "postgresql://db/lab?user=a&password=b&sslmode=require",
            "p",
            "postgresql://homelab_bot:p@db/lab?sslmode=require",
        ),
        ("postgresql://a:b@one:1,two:2/lab", "p", "postgresql://homelab_bot:p@one:1,two:2/lab"),
        ("postgresql://a:b@[::1]:5432/lab", "p", "postgresql://homelab_bot:p@[::1]:5432/lab"),
    ],
)
def test_the_bots_address_differs_in_role_and_password_only(owner: str, password: str | None, bot: str) -> None:
    assert bot_url(owner, password) == bot


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://anna:marlin@db:5433/lab", "“lab” at db:5433 as anna"),
        (SOCKET, "“homelab” at /var/lib/homelab/postgres as postgres"),
        ("postgresql://db?user=anna&password=marlin", "“anna” at db as anna"),
    ],
)
def test_an_address_in_words_has_no_password(url: str, words: str) -> None:
    assert describe(url) == words


def test_addresses_do_not_show_in_text() -> None:
    assert "marlin" not in repr(DatabaseUrls("postgresql://a:marlin@b/c", "postgresql://d:marlin@b/c", "marlin"))

"""Web addresses that Discord takes."""

from __future__ import annotations

import pytest

from app.bot.domain.blocks.addresses import checked_address, is_bare_host


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://x.org/a?b=c#d", None),
        ("http://10.0.0.2:8080/", None),
        ("http://[::1]:80/", None),
        ("steam://run", "must start with https:// or http://"),
        ("https://", "name a host"),
        ("//x.org", "must start with"),
        ("https://x.org/a b", "spaces"),
        ("https://x.org/\u202ea", "spaces"),
        ("https://x.org:123456/", "check the host and the port"),
        ("https://[x", "check the host and the port"),
        ("https://x.org/" + "a" * 100, "longer than Discord's 100 characters"),
    ],
)
def test_what_is_wrong_with_an_address(address: str, problem: str | None) -> None:
    found = checked_address(address, ("https", "http"), 100)
    assert (found is None) if problem is None else (problem in (found or ""))


@pytest.mark.parametrize("address", ["http://nas/", "http://localhost:80", "http://nas./", "http://[fe80::1]/"])
def test_bare_hosts(address: str) -> None:
    assert is_bare_host(address)


@pytest.mark.parametrize("address", ["http://nas.lan/", "http://10.0.0.2/", "https://x.org"])
def test_full_hosts(address: str) -> None:
    assert not is_bare_host(address)

from __future__ import annotations

from app.definitions.audit import HIDDEN, masked


def test_whatever_could_be_a_secret_is_hidden() -> None:
    config = {
        "url": "https://anna:hunter2@nas.example/api",
        "headers": {"Authorization": "Bearer abc", "Accept": "application/json", "X-Api-Key": "abc"},
        "auth": {"password": "hunter2", "tokens": ["abc"], "username": "anna"},
        "key": "abc",
        "monkey": "banana",
    }
    assert masked(config) == {
        "url": f"https://anna:{HIDDEN}@nas.example/api",
        "headers": {"Authorization": HIDDEN, "Accept": "application/json", "X-Api-Key": HIDDEN},
        "auth": {"password": HIDDEN, "tokens": [HIDDEN], "username": "anna"},
        "key": HIDDEN,
        "monkey": "banana",
    }


def test_a_reference_to_a_secret_is_none() -> None:
    assert masked({"password": "${secret:nas}"}) == {"password": "${secret:nas}"}
    assert masked({"password": "x${secret:nas}"}) == {"password": HIDDEN}


def test_ids_of_discord_stay_exact() -> None:
    assert masked({"guild_id": 1300000000000000001, "position": 3}) == {
        "guild_id": "1300000000000000001",
        "position": 3,
    }

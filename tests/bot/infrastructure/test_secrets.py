from __future__ import annotations

import asyncpg
import pytest
from cryptography.fernet import Fernet

from app.bot.infrastructure.secrets import (
    HIDDEN,
    PostgresSecrets,
    SecretUse,
    UnknownSecretError,
    UnreadableSecretError,
)
from app.shared.secrets import SecretBox
from tests.support import factories

KEY = Fernet.generate_key().decode()
BOX = SecretBox(KEY)


async def keep(owner: asyncpg.Connection, name: str, value: str, box: SecretBox = BOX) -> None:
    await factories.insert(owner, "secrets", {"name": name, "ciphertext": box.seal(value)})


async def test_a_secret_is_read_once_and_anew_after_a_change(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    await keep(owner, "token", "first")
    secrets = PostgresSecrets(bot_pool, BOX)
    assert await secrets.get("token") == "first"
    await owner.execute("UPDATE secrets SET ciphertext = $1", BOX.seal("second"))
    assert await secrets.get("token") == "first"
    secrets.forget()
    assert await secrets.get("token") == "second"


async def test_an_unknown_secret_is_named_and_found_once_it_is_there(
    owner: asyncpg.Connection, bot_pool: asyncpg.Pool
) -> None:
    secrets = PostgresSecrets(bot_pool, BOX)
    with pytest.raises(UnknownSecretError, match="There is no secret “token”"):
        await secrets.get("token")
    await keep(owner, "token", "value")
    assert await secrets.get("token") == "value"


async def test_another_key_is_an_error_without_any_value(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    await keep(owner, "token", "hunter2", SecretBox(Fernet.generate_key().decode()))
    with pytest.raises(UnreadableSecretError, match="sealed with another key") as caught:
        await PostgresSecrets(bot_pool, BOX).get("token")
    assert "hunter2" not in str(caught.value)


class NoSecrets:
    """A resolver that is not asked."""

    async def get(self, name: str) -> str:
        raise AssertionError(name)


async def test_references_are_filled_and_hidden(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    await keep(owner, "user", "me")
    await keep(owner, "pass", " a b/c\n")
    use = SecretUse(PostgresSecrets(bot_pool, BOX))
    assert await use.fill("x ${secret:user}:${secret:pass} $HOME ${other}") == "x me:a b/c $HOME ${other}"
    assert await use.fill("/?k=${secret:pass}", quoted=True) == "/?k=a%20b%2Fc"
    assert use.hide_within({"k a b/c": ["a%20b%2Fc", 5, None, "other"]}) == {
        f"k {HIDDEN}": [HIDDEN, 5, None, "other"],
    }
    assert "a b" not in repr(use)


@pytest.mark.parametrize("secret", ['quo"te', "back\\slash", "schlüssel", "\U0001f511", "a/b", "\ud800"])
async def test_a_secret_is_found_wherever_it_stands(secret: str) -> None:
    use = SecretUse(NoSecrets())
    use.also_hide(secret)
    data = {"a": [{"b": f"<{secret}>"}, 1.5, None, True], secret: ("c", secret), "d": "plain"}
    assert use.hide_within(data) == {"a": [{"b": f"<{HIDDEN}>"}, 1.5, None, True], HIDDEN: ["c", HIDDEN], "d": "plain"}
    plain = {"a": ["plain", 1, None]}
    assert use.hide_within(plain) == plain
    assert use.hide_within({b"no json": secret}) == {"b'no json'": HIDDEN}


@pytest.mark.parametrize("name", ["discord_token"])
async def test_the_bots_own_secrets_cannot_be_referenced(
    owner: asyncpg.Connection, bot_pool: asyncpg.Pool, name: str
) -> None:
    await keep(owner, name, "the token")
    with pytest.raises(UnknownSecretError, match="cannot be used here"):
        await SecretUse(PostgresSecrets(bot_pool, BOX)).fill(f"${{secret:{name}}}")


async def test_a_secret_with_a_line_break_is_refused(owner: asyncpg.Connection, bot_pool: asyncpg.Pool) -> None:
    await keep(owner, "token", "a\nHost: evil")
    with pytest.raises(UnreadableSecretError, match="line breaks") as caught:
        await SecretUse(PostgresSecrets(bot_pool, BOX)).fill("${secret:token}")
    assert "evil" not in str(caught.value)

"""The secrets of a run: the config's own are filled, what a user typed stays text."""

from __future__ import annotations

import pytest

from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.infrastructure.actions.run_secrets import RunSecrets
from app.bot.infrastructure.secrets import UnknownSecretError


class Stored:
    async def get(self, name: str) -> str:
        if name != "key":
            raise UnknownSecretError(f"There is no secret “{name}”. Enter it in the web admin.")
        return "hunter2-long"


async def test_the_configs_own_references_are_filled_and_hidden() -> None:
    secrets = RunSecrets(Stored())

    filled = await secrets.fill(secrets.mark({"header": ["Bearer ${secret:key}"]})["header"][0])

    assert filled == "Bearer hunter2-long"
    assert secrets.hide(f"sent {filled}") == "sent Bearer •••"


@pytest.mark.parametrize("typed", ["${secret:key}", "${secret:discord_token}", "${secret:a\nb}", "$${secret:key}"])
async def test_what_a_user_types_stays_text(typed: str) -> None:
    secrets = RunSecrets(Stored())
    config = fill_placeholders(secrets.mark({"body": "${secret:key} ${params.x}"}), {"params": {"x": typed}})

    assert await secrets.fill(config["body"]) == f"hunter2-long {typed}"


async def test_an_unknown_secret_is_named_as_people_write_it() -> None:
    secrets = RunSecrets(Stored())

    with pytest.raises(UnknownSecretError, match="no secret “other”"):
        await secrets.fill(secrets.mark("${secret:other}"))
    with pytest.raises(UnknownSecretError, match="the bot's own"):
        await secrets.fill(secrets.mark("${secret:discord_token}"))


async def test_what_others_read_for_the_run_is_hidden_too() -> None:
    secrets = RunSecrets(Stored())

    assert await secrets.watched().get("key") == "hunter2-long"
    assert secrets.hide("it said hunter2-long") == "it said •••"


def test_references_are_shown_as_people_write_them() -> None:
    secrets = RunSecrets(Stored())

    assert secrets.hide(secrets.mark("Sends ${secret:key}")) == "Sends ${secret:key}"

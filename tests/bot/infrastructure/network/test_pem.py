from __future__ import annotations

from pathlib import Path

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.infrastructure.network.pem import read_pem, with_lines
from app.bot.infrastructure.secrets import SecretUse, UnreadableSecretError

PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "A" * 64 + "\nBBBB==\n-----END OPENSSH PRIVATE KEY-----\n"


class Secrets:
    async def get(self, name: str) -> str:
        return {"key": PEM.replace("\n", "\r\n"), "odd": "a\x00b"}[name]


def test_lines_that_a_form_took_away_are_put_back() -> None:
    assert with_lines(PEM.replace("\n", " ")) == PEM
    assert with_lines(PEM.replace("\n", "")) == PEM
    assert with_lines(PEM + PEM.replace("\n", " ")) == PEM + PEM
    assert with_lines("host ssh-ed25519 AAAA") == "host ssh-ed25519 AAAA"


async def test_a_key_may_be_a_secret_or_a_file(tmp_path: Path) -> None:
    secrets = SecretUse(Secrets())
    assert await read_pem("ssh_key", "${secret:key}", secrets) == PEM
    file = tmp_path / "key"
    file.write_text(PEM)
    assert await read_pem("ssh_key", str(file), secrets) == PEM
    with pytest.raises(InvalidConfigError, match=r"ssh_key: the file /nowhere cannot be read \(No such file"):
        await read_pem("ssh_key", "/nowhere", secrets)


async def test_secrets_have_lines_only_where_a_field_says_so() -> None:
    secrets = SecretUse(Secrets())
    with pytest.raises(UnreadableSecretError, match="line breaks"):
        await secrets.fill("${secret:key}")
    with pytest.raises(UnreadableSecretError, match="control characters"):
        await secrets.fill("${secret:odd}", lines=True)

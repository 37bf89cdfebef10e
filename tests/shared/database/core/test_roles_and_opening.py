"""Which addresses are used, and the bot's password on an external server."""

from __future__ import annotations

import stat
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from app.shared.database.core.connection import connect
from app.shared.database.core.errors import DatabaseRefusedError
from app.shared.database.core.migrate import upgrade
from app.shared.database.core.opening import open_database
from app.shared.database.core.roles import set_bot_password, stored_bot_password
from tests.support.database import Database, private_folder


def test_without_an_address_the_embedded_server_runs_as_long_as_it_is_used() -> None:
    with private_folder() as folder:
        with open_database(folder) as urls:
            assert urls.embedded
            assert urls.bot_password is None
            assert urlsplit(urls.owner).path == urlsplit(urls.bot).path == "/homelab"
            assert (folder / "postgres" / "postmaster.pid").exists()
        assert not (folder / "postgres" / "postmaster.pid").exists()


def test_an_external_server_gets_a_password_for_the_bot(tmp_path: Path) -> None:
    with open_database(tmp_path, "postgresql://owner:marlin@db/lab") as urls:
        assert not urls.embedded
        assert urls.bot_password == stored_bot_password(tmp_path)
        assert urls.bot == f"postgresql://homelab_bot:{urls.bot_password}@db/lab"
    assert stat.S_IMODE((tmp_path / "bot_password").stat().st_mode) == 0o600


def test_a_given_bot_address_is_used_as_it_is(tmp_path: Path) -> None:
    with open_database(tmp_path, "postgres://o:p@db/lab", "postgres://homelab_bot:q@db/lab") as urls:
        assert (urls.bot, urls.bot_password) == ("postgresql://homelab_bot:q@db/lab", None)
    assert not (tmp_path / "bot_password").exists()


def test_a_password_that_cannot_be_kept_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseRefusedError, match="HOMELAB_BOT_DATABASE_URL"):
        stored_bot_password(tmp_path / "file")


async def test_an_upgrade_sets_the_bots_password(database: Database, owner: asyncpg.Connection) -> None:
    await upgrade(database.owner_url, "it's a 'marlin'")
    first = await owner.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'homelab_bot'")
    assert first.startswith("SCRAM-SHA-256$")
    await upgrade(database.owner_url, "another")
    assert await owner.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'homelab_bot'") != first


async def test_a_role_that_may_not_set_the_password_is_told_what_to_do(database: Database) -> None:
    bot = await connect(database.bot_url)
    await bot.execute("SET ROLE homelab_bot")
    with pytest.raises(DatabaseRefusedError, match="HOMELAB_BOT_DATABASE_URL") as caught:
        await set_bot_password(bot, "marlin")
    await bot.close()
    assert caught.value.__cause__ is None or "marlin" not in str(caught.value)

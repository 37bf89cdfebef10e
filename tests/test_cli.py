"""The command line as a user calls it: real processes, one clear line for what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from cryptography.fernet import Fernet

from app.cli import UsageError, parse_shards
from app.processes import PortTakenError, check_ports
from app.shared.secrets import SecretBox
from tests import factories
from tests.database import Database


def homelab(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with a data folder of its own and nothing of this environment's settings."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("HOMELAB_", "DISCORD_", "DATABASE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**kept, "HOMELAB_DATA_DIR": str(folder), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The error, asserted to be one line and no traceback."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("✗")]
    assert "Traceback" not in result.stderr, result.stderr
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_names_every_command(tmp_path: Path) -> None:
    result = homelab("--help", folder=tmp_path)
    assert result.returncode == 0
    for command in ("up", "demo", "bot", "web", "db", "seed", "doctor"):
        assert command in result.stdout


def test_status_then_upgrade_then_status(empty_database: Database, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": empty_database.owner_url, "HOMELAB_BOT_DATABASE_URL": empty_database.bot_url}

    before = homelab("db", "status", folder=tmp_path, **environment)
    assert before.returncode == 1
    assert "homelab db upgrade" in before.stdout

    upgraded = homelab("db", "upgrade", folder=tmp_path, **environment)
    assert upgraded.returncode == 0, upgraded.stderr

    after = homelab("db", "status", folder=tmp_path, **environment)
    assert after.returncode == 0
    assert "Up to date" in after.stdout


def test_seed_adds_dashboards_to_a_guild(database: Database, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database.owner_url, "HOMELAB_BOT_DATABASE_URL": database.bot_url}
    result = homelab("seed", "--guild", "42", "--channel", "43", folder=tmp_path, **environment)
    assert result.returncode == 0, result.stderr
    assert "dashboards" in result.stdout


def test_seed_with_a_channel_alone_says_what_is_missing(tmp_path: Path) -> None:
    result = homelab("seed", "--channel", "43", folder=tmp_path)
    assert result.returncode == 1
    assert "--guild" in one_line(result)


def test_the_bot_refuses_an_old_schema_in_one_line(empty_database: Database, tmp_path: Path) -> None:
    result = homelab(
        "bot",
        folder=tmp_path,
        DATABASE_URL=empty_database.owner_url,
        HOMELAB_BOT_DATABASE_URL=empty_database.owner_url,
        DISCORD_TOKEN="x" * 60,
    )
    assert result.returncode == 1
    assert "homelab db upgrade" in one_line(result)
    assert "x" * 60 not in result.stderr + result.stdout


def test_the_bot_without_a_token_says_where_to_enter_it(database: Database, tmp_path: Path) -> None:
    result = homelab("bot", folder=tmp_path, DATABASE_URL=database.owner_url, HOMELAB_BOT_DATABASE_URL=database.bot_url)
    assert result.returncode == 1
    assert "DISCORD_TOKEN" in one_line(result)


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    result = homelab("db", "status", folder=tmp_path, HOMELAB_WEB_PORT="eighty")
    assert result.returncode == 2
    assert "HOMELAB_WEB_PORT" in one_line(result)


def test_a_taken_port_stops_up_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = homelab("up", folder=tmp_path, HOMELAB_WEB_PORT=str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "HOMELAB_WEB_PORT" in one_line(result)
    assert not (tmp_path / "postgres").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_access_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    result = homelab("up", folder=tmp_path / "data")
    assert result.returncode == 1
    assert "HOMELAB_DATA_DIR" in one_line(result)


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    result = homelab("up", folder=tmp_path / "data")
    assert result.returncode == 1
    assert str(tmp_path / "data") in one_line(result)


def test_doctor_examines_a_prepared_database(database: Database, tmp_path: Path) -> None:
    result = homelab(
        "doctor", folder=tmp_path, DATABASE_URL=database.owner_url, HOMELAB_BOT_DATABASE_URL=database.bot_url
    )
    assert result.returncode == 0, result.stdout + result.stderr
    for subject in ("Database", "Schema", "Bot's role", "Discord", "Data sources", "Ports"):
        assert subject in result.stdout


def test_doctor_finds_an_old_schema(empty_database: Database, tmp_path: Path) -> None:
    result = homelab(
        "doctor",
        folder=tmp_path,
        DATABASE_URL=empty_database.owner_url,
        HOMELAB_BOT_DATABASE_URL=empty_database.bot_url,
    )
    assert result.returncode == 1
    assert "homelab db upgrade" in result.stdout


async def test_doctor_goes_on_where_the_token_was_sealed_with_another_key(
    database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    await factories.secret(owner, SecretBox(Fernet.generate_key().decode()), "a token", name="discord_token")

    result = await asyncio.to_thread(
        homelab, "doctor", folder=tmp_path, DATABASE_URL=database.owner_url, HOMELAB_BOT_DATABASE_URL=database.bot_url
    )

    assert result.returncode == 1
    assert "sealed with another key" in result.stdout
    for subject in ("Database", "Data sources", "Ports"):
        assert subject in result.stdout


def test_web_stops_cleanly_on_a_signal(database: Database, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("HOMELAB_", "DISCORD_", "DATABASE_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "web"],
        env={
            **kept,
            "HOMELAB_DATA_DIR": str(tmp_path),
            "DATABASE_URL": database.owner_url,
            "HOMELAB_BOT_DATABASE_URL": database.bot_url,
            "HOMELAB_WEB_PORT": str(port),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "setup" in line:
            break
    else:
        pytest.fail("".join(said))
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM), rest
    assert "Traceback" not in rest


@pytest.mark.parametrize(("text", "ids", "count"), [("0-3/16", [0, 1, 2, 3], 16), ("2/4", [2], 4), ("0-0/1", [0], 1)])
def test_shards(text: str, ids: list[int], count: int) -> None:
    assert parse_shards(text) == {"shard_ids": ids, "shard_count": count}


@pytest.mark.parametrize("text", ["", "3", "4/4", "3-1/8", "a-b/c", "0-3"])
def test_wrong_shards_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="0-3/16"):
        parse_shards(text)


def test_ports_are_named_by_the_variable_that_chooses_them() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTakenError, match="HOMELAB_DEMO_PORT"):
            check_ports("127.0.0.1", {"HOMELAB_DEMO_PORT": taken.getsockname()[1]})


async def test_doctor_names_what_cannot_be_shown_or_read(
    database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    board = await factories.dashboard(owner, name="Rack")
    await factories.channel(owner, id=77, name="lab", guild_id=board["guild_id"])
    await factories.placement(
        owner, dashboard_id=board["id"], channel_id=77, state="failed", error="The bot lacks Send Messages."
    )
    source = await factories.data_source(owner, name="nas")
    await owner.execute(
        "INSERT INTO source_states (data_source_id, status, error, polled_at) VALUES ($1, 'down', 'Refused', now())",
        source["id"],
    )

    result = await asyncio.to_thread(
        homelab, "doctor", folder=tmp_path, DATABASE_URL=database.owner_url, HOMELAB_BOT_DATABASE_URL=database.bot_url
    )

    assert result.returncode == 1
    assert "“Rack” in #lab: The bot lacks Send Messages." in result.stdout
    assert "“nas”: Refused" in result.stdout

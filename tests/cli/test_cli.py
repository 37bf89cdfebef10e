"""The command line as a user calls it: real processes, one clear line for what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from cryptography.fernet import Fernet

from app.cli import main as cli
from app.cli.processes import PortTakenError, Program, ProgramStoppedError, check_ports, run_programs
from app.cli.running import parse_shards
from app.cli.terminal import UsageError
from app.shared.secrets import SecretBox
from tests.support import factories
from tests.support.database import Database, private_folder


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


def test_a_taken_port_of_the_page_stops_the_demo_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = homelab("demo", folder=tmp_path, HOMELAB_DEMO_PORT=str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "HOMELAB_DEMO_PORT" in one_line(result)
    assert not (tmp_path / "postgres").exists()


def test_an_address_that_is_not_this_machines_is_named(tmp_path: Path) -> None:
    result = homelab("up", folder=tmp_path, HOMELAB_WEB_HOST="203.0.113.7")
    assert result.returncode == 1
    assert "HOMELAB_WEB_HOST" in one_line(result)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder where not even root may write")
def test_a_folder_where_nobody_may_write_is_named() -> None:
    for command in (("up",), ("db", "status"), ("doctor",)):
        result = homelab(*command, folder=Path("/proc/homelab"))
        assert result.returncode == 1
        assert "HOMELAB_DATA_DIR" in result.stdout + result.stderr
        assert "Traceback" not in result.stderr


def test_a_second_up_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    from app.shared.database.core.file_lock import FileLock

    lock = FileLock(tmp_path / "up.lock")
    assert lock.acquire()
    result = homelab("up", folder=tmp_path)
    lock.release()
    assert result.returncode == 1
    assert "Another `homelab up`" in one_line(result)


@pytest.mark.parametrize("guild", ["0", "-3", "99999999999999999999999", "abc"])
def test_a_guild_that_can_be_none_is_refused(tmp_path: Path, guild: str) -> None:
    result = homelab("seed", "--guild", guild, folder=tmp_path)
    assert result.returncode == 2
    assert "--guild" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_what_nobody_foresaw_is_one_line_and_its_place_only_for_those_who_ask(
    level: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("the roof is on fire")

    monkeypatch.setenv("HOMELAB_LOG_LEVEL", level)
    monkeypatch.setattr(cli, "app", fail)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert "RuntimeError: the roof is on fire" in said
    assert ("Traceback" in said) == (level == "DEBUG")


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["making the embedded database", "No Discord token yet", "Web admin"])
def test_up_leaves_nothing_running_whenever_it_is_stopped(number: signal.Signals, moment: str) -> None:
    with private_folder() as folder, started("up", folder) as process:
        said = read_until(process, moment)
        process.send_signal(number)
        rest, _ = process.communicate(timeout=60)
        assert "Traceback" not in said + rest
        assert process.returncode in (0, 130, 143)
        assert running_in(folder) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed parent leaves its children")
def test_a_killed_up_takes_its_programs_with_it_and_can_be_started_again() -> None:
    with private_folder() as folder:
        with started("up", folder) as process:
            read_until(process, "Web admin")
            programs = psutil.Process(process.pid).children()
            assert len(programs) == 2
            process.kill()
            process.communicate(timeout=60)
        _, alive = psutil.wait_procs(programs, timeout=30)
        assert alive == []

        with started("up", folder) as again:
            read_until(again, "Web admin")
            again.send_signal(signal.SIGINT)
            rest, _ = again.communicate(timeout=60)
        assert again.returncode == 0, rest
        assert running_in(folder) == []


async def test_a_program_that_ends_stops_the_others_and_is_named(database: Database, tmp_path: Path) -> None:
    environment = {
        "HOMELAB_DATA_DIR": str(tmp_path),
        "HOMELAB_WEB_PORT": str(free_port()),
        "DATABASE_URL": database.owner_url,
        "HOMELAB_BOT_DATABASE_URL": database.bot_url,
    }
    programs = [Program("web admin", ("web",)), Program("bot", ("bot", "--shards", "none"))]
    with pytest.raises(ProgramStoppedError, match=r"The bot stopped \(exit code 1\)"):
        await run_programs(programs, environment)
    assert [child for child in psutil.Process().children() if "app" in child.cmdline()] == []


@contextmanager
def started(command: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on, on a folder and ports of its own; killed where the test did not end it."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("HOMELAB_", "DISCORD_", "DATABASE_"))
    }
    ports = {"HOMELAB_WEB_PORT": str(free_port()), "HOMELAB_DEMO_PORT": str(free_port())}
    with subprocess.Popen(
        [sys.executable, "-m", "app", command],
        env={**kept, **ports, "HOMELAB_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509  # it does no more than set a signal
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _heed_interrupts() -> None:
    """A shell has what it runs in the background ignore SIGINT, also these tests and what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What it says up to a line with that text."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


def running_in(folder: Path) -> list[str]:
    """The processes that have to do with a folder."""
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
    assert process.returncode in (0, 128 + signal.SIGTERM), rest
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
    await factories.message(
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

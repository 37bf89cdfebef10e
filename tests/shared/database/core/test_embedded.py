"""The embedded server through starts, stops, kills and crowds."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.shared.database.core import embedded as module
from app.shared.database.core.embedded import EmbeddedPostgres
from app.shared.database.core.errors import EmbeddedServerError
from app.shared.database.core.file_lock import FileLock
from app.shared.database.core.postgres_programs import PostgresPrograms
from tests.support.database import private_folder

_SMALL = {"shared_buffers": "16MB", "max_connections": "20"}
_PROCESS = """
import asyncio, sys
from pathlib import Path
import asyncpg
from app.shared.database.core.embedded import EmbeddedPostgres

async def select(url):
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT 1")
    await connection.close()

server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
asyncio.run(select(server.start()))
print("started", flush=True)
sys.stdin.readline()
server.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder / "postgres"
        process = server_process(folder / "postgres")
        if process is not None:
            process.kill()
            process.wait(10)


def embedded(directory: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(directory, parameters=_SMALL, durable=False)


def server_process(directory: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(int((directory / "postmaster.pid").read_text().split()[0]))
    except (FileNotFoundError, psutil.NoSuchProcess, IndexError):
        return None
    return process if process.name() == "postgres" else None


def run(url: str, *statements: str) -> object:
    """Run statements on a connection of their own and return the last one's value."""

    async def work() -> object:
        connection = await asyncpg.connect(url)
        for statement in statements[:-1]:
            await connection.execute(statement)
        value = await connection.fetchval(statements[-1])
        await connection.close()
        return value

    return asyncio.run(work())


def start_process(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PROCESS), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_start(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert "started\n" in iter(process.stdout.readline, ""), "the process ended before its server started"


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=60)


def test_data_outlives_a_stop_and_a_start(directory: Path) -> None:
    server = embedded(directory)
    run(server.start(), "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (7)", "SELECT 1")
    assert run(server.url, "SELECT current_database()") == "homelab"
    server.stop()
    assert server_process(directory) is None
    with embedded(directory) as again:
        assert run(again.url, "SELECT id FROM kept") == 7


def test_starting_and_stopping_twice_does_nothing_more(directory: Path) -> None:
    server = embedded(directory)
    assert server.start() == server.start()
    server.stop()
    server.stop()
    with pytest.raises(EmbeddedServerError, match="not started"):
        _ = server.url


def test_the_last_user_stops_the_server(directory: Path) -> None:
    first, second = embedded(directory), embedded(directory)
    assert first.start() == second.start()
    first.stop()
    assert run(second.url, "SELECT 1") == 1
    second.stop()
    assert server_process(directory) is None


def test_processes_that_start_it_at_once_share_one_server(directory: Path) -> None:
    processes = [start_process(directory) for _ in range(3)]
    for process in processes:
        wait_for_start(process)
    for process in processes:
        assert server_process(directory) is not None
        finish(process)
    assert server_process(directory) is None


def test_a_killed_user_does_not_keep_the_server_alive(directory: Path) -> None:
    process = start_process(directory)
    wait_for_start(process)
    process.kill()
    process.communicate()
    running = server_process(directory)
    assert running is not None
    server = embedded(directory)
    assert run(server.start(), "SELECT 1") == 1
    assert server_process(directory) == running
    server.stop()
    assert server_process(directory) is None


def test_a_killed_server_is_started_again_with_its_data(directory: Path) -> None:
    server = embedded(directory)
    run(server.start(), "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (7)", "SELECT 1")
    killed = server_process(directory)
    assert killed is not None
    killed.kill()
    again = embedded(directory)
    assert run(again.start(), "SELECT id FROM kept") == 7
    assert server_process(directory) != killed
    server.stop()
    assert run(again.url, "SELECT 1") == 1
    again.stop()
    assert server_process(directory) is None


def test_a_number_that_another_process_got_keeps_nobody_out(directory: Path) -> None:
    """After a reboot the number in postmaster.pid can be anyone's, even ours: PostgreSQL alone would not start."""
    with embedded(directory) as server:
        run(server.url, "SELECT 1")
        file = directory / "postmaster.pid"
        lines = file.read_text().splitlines()
    owner = psutil.Process()
    for number in (os.getpid(), owner.ppid()):
        file.write_text("\n".join([str(number), *lines[1:]]) + "\n")
        with embedded(directory) as server:
            assert run(server.url, "SELECT 1") == 1


def test_a_kill_while_the_cluster_is_made_leaves_no_half_of_one(directory: Path) -> None:
    unfinished = directory.with_name("postgres.new")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")
    with embedded(directory) as server:
        assert run(server.url, "SELECT 1") == 1
    assert not unfinished.exists()


def test_a_database_dropped_by_hand_is_made_again(directory: Path) -> None:
    with embedded(directory) as server:
        run(server.url_of("postgres"), "DROP DATABASE homelab", "SELECT 1")
    with embedded(directory) as server:
        assert run(server.url, "SELECT current_database()") == "homelab"


def test_a_path_too_long_for_a_socket_works_all_the_same(directory: Path) -> None:
    long = directory.parent / ("long" * 20) / ("folder name" * 5) / "postgres"
    with embedded(long) as server:
        assert run(server.url, "SELECT current_database()") == "homelab"
        with embedded(long) as other:
            assert other.url == server.url
        socket_folder = Path(server.url.partition("host=")[2])
        assert socket_folder.stat().st_mode & 0o077 == 0
    assert not socket_folder.exists()


def test_the_environment_of_other_servers_is_ignored(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGHOST": "nowhere.example", "PGPORT": "1", "PGUSER": "nobody", "PGDATA": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANG", "xx_YY.nonsense")
    with embedded(directory) as server:
        assert server_process(directory) is not None
        assert "nowhere" not in server.url


def test_a_folder_that_cannot_be_written_is_one_clear_line(directory: Path) -> None:
    directory.parent.joinpath("file").write_text("in the way")
    with pytest.raises(EmbeddedServerError, match="HOMELAB_DATA_DIR") as caught:
        embedded(directory.parent / "file" / "postgres").start()
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_no_write_access_is_one_clear_line(directory: Path) -> None:
    directory.parent.chmod(0o755)
    script = (
        "import os, sys; os.setgid(65534); os.setuid(65534)\n"
        "from pathlib import Path\n"
        "from app.shared.database.core.embedded import EmbeddedPostgres\n"
        "try: EmbeddedPostgres(Path(sys.argv[1])).start()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    # Imported before the change of user, who may not be able to enter the folder of the program.
    result = subprocess.run(
        [sys.executable, "-c", "import app.shared.database.core.embedded\n" + script, str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.startswith("EmbeddedServerError"), result.stderr
    assert "Permission denied" in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_a_folder_with_other_files_is_left_alone(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "photo.jpg").write_text("mine")
    with pytest.raises(EmbeddedServerError, match="Move them away"):
        embedded(directory).start()
    assert (directory / "photo.jpg").read_text() == "mine"


def test_data_of_an_unknown_version_is_refused(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "PG_VERSION").write_text("99\n")
    with pytest.raises(EmbeddedServerError, match="PostgreSQL 99"):
        embedded(directory).start()


def test_a_server_that_does_not_start_says_why(directory: Path) -> None:
    with embedded(directory):
        pass
    with pytest.raises(EmbeddedServerError, match=r"did not start.*no_such_parameter"):
        EmbeddedPostgres(directory, parameters={"no_such_parameter": "1"}, durable=False).start()
    with embedded(directory) as server:  # the failed start holds no lock
        assert run(server.url, "SELECT 1") == 1


def test_a_start_that_never_ends_elsewhere_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_START_SECONDS", 0.1)
    directory.parent.mkdir(exist_ok=True)
    other = FileLock(directory.with_name("postgres.lock"))
    assert other.acquire()
    with pytest.raises(EmbeddedServerError, match="Another process"):
        embedded(directory).start()
    other.release()


def test_the_servers_log_is_put_aside_when_it_is_large(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded(directory):
        pass
    monkeypatch.setattr(module, "_LOG_BYTES", 10)
    with embedded(directory):
        pass
    assert (directory / "server.log.1").exists()


def test_only_its_owner_can_enter_the_data_and_the_socket(directory: Path) -> None:
    with embedded(directory) as server:
        run(server.url, "SELECT 1")
        assert directory.stat().st_mode & 0o077 == 0
        assert (directory / ".s.PGSQL.5432").exists()
        connections = psutil.Process(int((directory / "postmaster.pid").read_text().split()[0])).net_connections("tcp")
        assert connections == []


def test_a_failing_program_tells_what_is_wrong() -> None:
    with pytest.raises(EmbeddedServerError, match=r"psql failed: .*nowhere"):
        PostgresPrograms().run("psql", "-h", "/nowhere", "-c", "SELECT 1")


def test_ending_a_terminal_does_not_end_the_server(directory: Path) -> None:
    """The server must not be in the terminal's process group, or Ctrl+C would stop it before the programs do."""
    with embedded(directory):
        process = server_process(directory)
        assert process is not None
        assert os.getpgid(process.pid) != os.getpgid(0)

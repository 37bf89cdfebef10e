"""An embedded PostgreSQL: a real server from a wheel, reachable through a Unix socket only.

Any number of processes may start the same one; the last to stop it stops the server. Who uses it is known by file
locks, so a killed process never keeps it alive, and a killed server is started again with PostgreSQL's own recovery.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psutil
import structlog

from app.shared.database.core.errors import EmbeddedServerError
from app.shared.database.core.file_lock import FileLock
from app.shared.database.core.postgres_programs import NEWEST, PostgresPrograms

log = structlog.get_logger(__name__)

DATABASE = "homelab"
OWNER = "postgres"
_START_SECONDS = 120.0
"""Time for a start: recovery after a crash replays at most max_wal_size."""
_POLL_SECONDS = 0.1
_LATE_SERVER_SECONDS = 1.0
_LOG_BYTES = 5_000_000
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_FOLDER_PREFIX = "homelab-socket-"
_SOCKET_PATH_BYTES = 100
"""A Unix socket's path has 104 to 108 bytes, by system."""
_PARAMETERS = {
    "listen_addresses": "",
    "max_wal_size": "256MB",
    # Without DETAIL, which can hold a row's values, nothing that a user entered gets into the server's log.
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class _Running:
    """What postmaster.pid says of a running server."""

    process: psutil.Process
    socket_folder: str
    status: str


class EmbeddedPostgres:
    """A server on the data in `directory`. `parameters` are added to the server's configuration when this starts it."""

    def __init__(self, directory: Path, *, parameters: Mapping[str, str] | None = None, durable: bool = True) -> None:
        self.directory = directory.resolve()
        self._parameters = {**_PARAMETERS, **({} if durable else {"fsync": "off"}), **(parameters or {})}
        self._durable = durable
        self._starting = FileLock(self.directory.with_name(self.directory.name + ".lock"))
        self._using = FileLock(self.directory.with_name(self.directory.name + ".users"))
        self._socket_folder: str | None = None

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The owner's address of the database `homelab`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str, user: str = OWNER) -> str:
        """Return the address of a database for a user. Raises EmbeddedServerError while this has not started."""
        if self._socket_folder is None:
            raise EmbeddedServerError("The embedded PostgreSQL is not started.")
        return f"postgresql://{quote(user)}:@/{quote(database)}?host={quote(self._socket_folder)}"

    def start(self) -> str:
        """Make the cluster if there is none, start it if no one did, and return `url`. Raises EmbeddedServerError."""
        if self._socket_folder is not None:
            return self.url
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            if not self._starting.acquire(timeout_seconds=_START_SECONDS):
                raise EmbeddedServerError(
                    f"Another process has been starting the database in {self.directory} for too long. "
                    "End that process and try again."
                )
            try:
                self._using.acquire(shared=True)
                self._start()
            except BaseException as error:
                self._give_up(interrupted=not isinstance(error, Exception))
                raise
            finally:
                self._starting.release()
        except OSError as error:
            raise EmbeddedServerError(
                f"The embedded PostgreSQL needs the folder {self.directory.parent}: {error.strerror or error}. "
                "Give this user write access to it, choose another one with HOMELAB_DATA_DIR, or set DATABASE_URL."
            ) from error
        return self.url

    def stop(self) -> None:
        """Stop using the server, and stop it if no one else uses it; does nothing when not started."""
        if self._socket_folder is None:
            return
        self._socket_folder = None
        try:
            if not self._starting.acquire(timeout_seconds=_START_SECONDS):
                return
            self._stop_if_unused()
        finally:
            self._using.release()
            self._starting.release()

    def _stop_if_unused(self) -> bool:
        """Stop the server unless others use it; whether one was stopped. What is held of `_using` may change."""
        if not self._using.acquire() or (running := self._running()) is None:
            return False
        self._programs().run("pg_ctl", "stop", "-D", str(self.directory), "-m", "fast", "-w", "-t", "60")
        _remove_socket_folder(Path(running.socket_folder))
        return True

    def _give_up(self, *, interrupted: bool) -> None:
        """After a start that did not work out: leave no server behind that no one uses.

        The server of an interrupted pg_ctl may appear a moment later.
        """
        self._socket_folder = None
        deadline = time.monotonic() + (_LATE_SERVER_SECONDS if interrupted else 0.0)
        try:
            with contextlib.suppress(OSError, EmbeddedServerError):
                while not self._stop_if_unused() and time.monotonic() < deadline:
                    time.sleep(_POLL_SECONDS)
        finally:
            self._using.release()

    def _start(self) -> None:
        if not (self.directory / "PG_VERSION").exists():
            self._make_cluster()
        programs = self._programs()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            running = self._running()
            try:
                if running is None:
                    self._launch(programs)
                elif running.status == "ready":
                    self._socket_folder = running.socket_folder
                    self._make_database(programs)
                    return
            except EmbeddedServerError as error:
                self._socket_folder = None
                if time.monotonic() > deadline or not self._may_pass(error):
                    raise
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL in {self.directory} is not ready ({running}). Try again.")
            time.sleep(_POLL_SECONDS)

    def _programs(self) -> PostgresPrograms:
        return PostgresPrograms(int((self.directory / "PG_VERSION").read_text().strip()))

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and move it there whole, so that a kill leaves no half of one."""
        if self.directory.exists() and any(self.directory.iterdir()):
            raise EmbeddedServerError(
                f"{self.directory} has files in it but no PostgreSQL data. Move them away and try again."
            )
        log.info("making the embedded database", folder=str(self.directory))
        programs = PostgresPrograms(NEWEST)
        unfinished = self.directory.with_name(self.directory.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        programs.give(unfinished)
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        sync = () if self._durable else ("--no-sync",)
        programs.run("initdb", "-D", str(unfinished), "-U", OWNER, "--auth=trust", *locale, *sync)
        unfinished.rename(self.directory)

    def _launch(self, programs: PostgresPrograms) -> None:
        self._forget_stale_pid()
        if not programs.owns(self.directory):  # a volume from a container where the user had another number
            programs.give(self.directory)
        server_log = self.directory / "server.log"
        if server_log.exists() and server_log.stat().st_size > _LOG_BYTES:
            server_log.replace(server_log.with_suffix(".log.1"))
        parameters = {**self._parameters, "unix_socket_directories": self._choose_socket_folder(programs)}
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in parameters.items())
        arguments = ("start", "-D", str(self.directory), "-l", str(server_log), "-o", options)
        try:
            programs.run("pg_ctl", *arguments, "-w", "-t", str(int(_START_SECONDS)), timeout_seconds=_START_SECONDS)
        except EmbeddedServerError as error:
            raise EmbeddedServerError(f"PostgreSQL did not start: {_last_complaint(server_log) or error}") from error

    def _make_database(self, programs: PostgresPrograms) -> None:
        if self._socket_folder is None:
            return
        connection = ("-X", "-h", self._socket_folder, "-U", OWNER, "-d", "postgres", "-At")
        found = programs.run("psql", *connection, "-c", f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")  # noqa: S608  # a constant
        if not found.strip():
            programs.run("psql", *connection, "-c", f"CREATE DATABASE {DATABASE}")

    def _running(self) -> _Running | None:
        """Return the server on our data, or None; a process that merely got the old server's number is not it."""
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
                return None
            if str(self.directory) not in " ".join(process.cmdline()):
                return None
            return _Running(process, lines[4].strip(), lines[7].strip() if len(lines) > 7 else "starting")
        except (FileNotFoundError, psutil.NoSuchProcess, ValueError, IndexError):
            return None

    def _forget_stale_pid(self) -> None:
        """Wait for the last processes of a killed server, then remove its postmaster.pid if that keeps a new one out.

        PostgreSQL clears the file itself, but not when another process has got the old server's number since.
        """
        deadline = time.monotonic() + _START_SECONDS
        while any(_works_in(process, self.directory) for process in psutil.process_iter()):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"Processes of an old PostgreSQL still run in {self.directory}. End them.")
            time.sleep(_POLL_SECONDS)
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            file = self.directory / "postmaster.pid"
            if psutil.pid_exists(int(file.read_text().splitlines()[0])):
                file.unlink()

    def _choose_socket_folder(self, programs: PostgresPrograms) -> str:
        """Return the data's own folder, for its owner only; a private temporary one if that path is too long."""
        if len(os.fsencode(self.directory / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES:
            return str(self.directory)
        folder = Path(tempfile.mkdtemp(prefix=_SOCKET_FOLDER_PREFIX))
        programs.give(folder)
        return str(folder)

    def _may_pass(self, error: EmbeddedServerError) -> bool:
        """Whether a failed start is one that waiting helps: the old server's memory or shutdown still lingers."""
        return any(hint in str(error) for hint in ("shared memory", "shutting down", "starting up", "lock file"))


def _works_in(process: psutil.Process, directory: Path) -> bool:
    with contextlib.suppress(psutil.Error, OSError):
        return process.name() == "postgres" and process.cwd() == str(directory)
    return False


def _remove_socket_folder(folder: Path) -> None:
    if folder.name.startswith(_SOCKET_FOLDER_PREFIX):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _last_complaint(server_log: Path) -> str | None:
    with contextlib.suppress(OSError):
        lines = server_log.read_text(errors="replace").splitlines()[-50:]
        return next((line.split(": ", 1)[-1] for line in reversed(lines) if "FATAL" in line or "PANIC" in line), None)
    return None

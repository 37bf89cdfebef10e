"""Real programs for tests, where they are installed: on a free port, with all their data in a folder of the test.

A fixture decorated with `service` starts a program; a test that uses it gets the mark `service`, and is skipped with a
reason that names the program where it is missing. `make test-services` installs them all and runs exactly those tests.
The fixtures are in tests/programs; nothing here reads or writes what the system's own services are configured with.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SERVICES_ENVIRONMENT = ROOT / ".services"
"""Where `make test-services` puts the programs that come from PyPI."""
HOST = "127.0.0.1"
_FOLDERS = (
    *("/lib/nut", "/usr/lib/nut", "/usr/libexec/nut"),  # before the rest: Debian's upsd there only says that it is off
    *os.get_exec_path(),
    *("/usr/local/sbin", "/usr/sbin", "/sbin"),
    str(SERVICES_ENVIRONMENT / "bin"),
)
"""Daemons are often outside a user's PATH."""
PACKAGES = {
    "busybox": "busybox-static",
    "dummy-ups": "nut-server",
    "ip": "iproute2",
    "mariadb-install-db": "mariadb-server",
    "mariadbd": "mariadb-server",
    "mosquitto": "mosquitto",
    "mosquitto_passwd": "mosquitto",
    "netdata": "netdata",
    "nginx": "nginx",
    "podman": "podman",
    "prometheus": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "qbittorrent-nox": "qbittorrent-nox",
    "redis-server": "redis-server",
    "runc": "runc",
    "snmpd": "snmpd",
    "smartctl": "smartmontools",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "syncthing": "syncthing",
    "transmission-daemon": "transmission-daemon",
    "upsd": "nut-server",
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
}
"""Each program with its package in Debian and Ubuntu, which `make test-services` installs."""
PYTHON_PACKAGES = {"glances": "glances[web]>=4,<5"}
"""The same for PyPI, where Debian's is too old."""
_MISSING = "{} is not installed: run make test-services"
_START_SECONDS = 60.0
"""Only a program that hangs needs as long, also on a busy machine."""
_STOP_SECONDS = 10.0
_LAST_LINES = 40

_fixtures: set[str] = set()


@dataclass(frozen=True, slots=True)
class Service:
    """A program that runs: where it answers, and with what one logs in."""

    port: int
    folder: Path
    username: str = ""
    password: str = ""
    """Also an API key or a community, where that is what the program asks for."""

    @property
    def url(self) -> str:
        """The address of its HTTP server, without a slash at the end."""
        return f"http://{HOST}:{self.port}"


class Ready(Protocol):
    """Whether a program answers at a port by now; an OSError means not yet."""

    def __call__(self, port: int) -> bool: ...


def service(function: Callable[..., Generator[Any, None, None]]) -> Any:
    """A fixture that starts a program once for each process that runs tests."""
    _fixtures.add(function.__name__)
    return pytest.fixture(scope="session")(function)


def service_of_each_test(function: Callable[..., Any]) -> Any:
    """A fixture that starts a program again for each test, for tests that stop it; it may be asynchronous."""
    _fixtures.add(function.__name__)
    return pytest.fixture(function)


def installed(program: str) -> str | None:
    """The path of a program, or None."""
    return shutil.which(program, path=os.pathsep.join(_FOLDERS))


def required(program: str, name: str | None = None) -> str:
    """The path of a program; skips the test where there is none. `name` is what users call it."""
    if program not in PACKAGES | PYTHON_PACKAGES:
        raise LookupError(f"Nothing installs {program}: add it to PACKAGES in tests/support/services.py")
    found = installed(program)
    if found is None:
        pytest.skip(_MISSING.format(name or program))
    return found


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port where nobody listens at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether someone accepts connections at a port."""
    with socket.create_connection((HOST, port), timeout=2):
        return True


def answers(path: str = "/") -> Ready:
    """Whether an HTTP server answers a path, whatever it says: even a refusal shows that it runs."""

    def ready(port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as response:
                return bool(response.status < 500)
        except urllib.error.HTTPError as error:
            return error.code < 500

    return ready


@contextlib.contextmanager
def running(
    name: str,
    command: Callable[[int], Sequence[str | Path]],
    folder: Path,
    ready: Ready = accepts,
    *,
    environment: Mapping[str, str] | None = None,
    kind: socket.SocketKind = socket.SOCK_STREAM,
) -> Iterator[int]:
    """Run a program in the foreground until the end of the block; gives its port once it answers there.

    `command` is called with the port, and may write the program's configuration. A program that ends at once is started
    again at another port, as someone may have taken the first meanwhile. Fails with the end of its log otherwise.
    """
    log = folder / f"{name}.log"
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder), "TMPDIR": str(folder)}
    for _ in range(3):
        port = free_port(kind)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command(port)],
                cwd=folder,
                env={**os.environ, **home, "LC_ALL": "C", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            if _awaited(process, port, ready):
                yield port
                return
        finally:
            _stop(process)
        if process.returncode in {-signal.SIGTERM, -signal.SIGKILL}:
            break  # it ran and never answered: it would not the next time
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    pytest.fail(f"{name} did not start:\n" + "\n".join(lines[-_LAST_LINES:]), pytrace=False)


def _awaited(process: subprocess.Popen[bytes], port: int, ready: Ready) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if ready(port) and not _taken_by_another(process.pid, port):
                return True
        time.sleep(0.05)
    return False


def _taken_by_another(pid: int, port: int) -> bool:
    """Whether it was another program's answer, at a port that both wanted."""
    try:
        listening = {
            each.pid for each in psutil.net_connections("inet") if each.laddr[1:] == (port,) and not each.raddr
        }
        own = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    except psutil.Error:  # not every system tells users
        return False
    return bool(listening) and own.isdisjoint(listening)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a real program."""
    for item in items:
        if not _fixtures.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("service")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Generator[None, object, object]:
    """Name the programs whose tests were skipped, at the very end: nobody reads a list of hundreds of lines."""
    result = yield
    pattern = re.compile(re.escape(_MISSING).replace(r"\{\}", "(.+)") + "$")
    reasons = (report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()))
    names = sorted({found[1] for reason in reasons if (found := pattern.search(reason.removeprefix("Skipped: ")))})
    if names:
        terminalreporter.write_line(f"Skipped, not installed: {', '.join(names)} (make test-services installs them)")
    return result

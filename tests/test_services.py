"""Real programs for tests: they start, answer and end, and those that are missing are named."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import services
from tests.support.services import PACKAGES, accepts, free_port, pytest_terminal_summary, required, running

PROGRAMS = (
    *("glances", "mariadb", "mosquitto", "netdata", "nginx", "node_exporter", "nut", "podman_engine", "prometheus"),
    *("qbittorrent", "redis", "snmpd", "sshd", "syncthing", "transmission"),
)
PYTHON_SERVER = "import http.server as s; s.test(s.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"


@pytest.mark.service
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_until_it_answers(name: str, request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue(name)


def test_a_program_ends_with_its_block(tmp_path: Path) -> None:
    with running("python", lambda port: [sys.executable, "-c", PYTHON_SERVER.format(port=port)], tmp_path) as port:
        assert accepts(port)
    with pytest.raises(ConnectionRefusedError):
        accepts(port)


def test_a_program_that_does_not_start_fails_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such option: --nonsense')"]
    with (
        pytest.raises(pytest.fail.Exception, match="no such option: --nonsense"),
        running("x", lambda _: command, tmp_path),
    ):
        pass


def test_a_port_that_another_took_is_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(port: int) -> list[str]:
        return [sys.executable, "-c", PYTHON_SERVER.format(port=port)]

    (tmp_path / "second").mkdir()
    with running("first", command, tmp_path) as taken:
        ports = iter([taken, free_port()])
        monkeypatch.setattr(services, "free_port", lambda _kind: next(ports))
        with running("second", command, tmp_path / "second") as port:
            assert port != taken


def test_a_missing_program_is_skipped_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_FOLDERS", ())
    with pytest.raises(pytest.skip.Exception, match=r"^NUT is not installed: run make test-services$"):
        required("upsd", "NUT")


def test_a_program_that_nothing_installs_is_a_mistake() -> None:
    assert "nonsense" not in PACKAGES
    with pytest.raises(LookupError, match="add it to PACKAGES"):
        required("nonsense")


def test_the_last_lines_name_each_missing_program_once() -> None:
    reasons = ("Skipped: redis is not installed: run make test-services", "Skipped: no Chromium")
    skipped = [SimpleNamespace(longrepr=("test_x.py", 1, reason)) for reason in (*reasons, *reasons)]
    skipped.append(SimpleNamespace(longrepr=("test_y.py", 1, "Skipped: NUT is not installed: run make test-services")))
    lines: list[str] = []
    hook = pytest_terminal_summary(SimpleNamespace(stats={"skipped": skipped}, write_line=lines.append))
    next(hook)
    assert lines == []  # what pytest has to say comes first
    with pytest.raises(StopIteration):
        next(hook)
    assert lines == ["Skipped, not installed: NUT, redis (make test-services installs them)"]

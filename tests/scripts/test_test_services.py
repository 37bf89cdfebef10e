"""What `make test-services` does to a machine, without doing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import test_services as script
from tests.support.services import PACKAGES, PYTHON_PACKAGES

Machine = Callable[..., list[tuple[str, ...]]]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Installs on a machine that has these programs, and gives the commands that it would have run."""

    def install(
        *, has: set[str], user: int = 0, tools: tuple[str, ...] = ("apt-get",), unknown: str = ""
    ) -> list[tuple[str, ...]]:
        ran: list[tuple[str, ...]] = []

        def run(*command: str) -> bool:
            ran.append(command)
            return unknown not in command

        monkeypatch.setattr(script, "run", run)
        monkeypatch.setattr(script, "POLICY", tmp_path / "policy-rc.d")
        monkeypatch.setattr(script, "enabled_units", list)
        monkeypatch.setattr(script, "installed", lambda program: program if program in has else None)
        monkeypatch.setattr(script.os, "getuid", lambda: user)
        monkeypatch.setattr(script.shutil, "which", lambda tool: tool if tool in tools else None)
        script.install()
        return ran

    return install


def test_nothing_is_installed_where_all_is_there(machine: Machine) -> None:
    assert machine(has=set(PACKAGES) | set(PYTHON_PACKAGES)) == []


def test_only_what_is_missing_is_installed_and_nothing_is_started(machine: Machine) -> None:
    policy, update, install, removed = machine(has=(set(PACKAGES) | set(PYTHON_PACKAGES)) - {"nginx", "upsd"})
    assert policy[:3] == ("install", "-m", "755")
    assert update[0] == "apt-get"
    assert install[-2:] == ("nginx", "nut-server")
    assert removed[:2] == ("rm", "-f")
    assert policy[-1] == removed[-1]


def test_a_package_that_a_release_lacks_keeps_none_of_the_others_away(machine: Machine) -> None:
    missing = {"nginx", "netdata", "snmpd"}
    commands = machine(has=(set(PACKAGES) | set(PYTHON_PACKAGES)) - missing, unknown="netdata")
    installs = [command for command in commands if "-y" in command]
    assert [command[command.index("--no-install-recommends") + 1 :] for command in installs] == [
        ("netdata", "nginx", "snmpd"),
        ("netdata",),
        ("nginx",),
        ("snmpd",),
    ]


def test_a_user_asks_sudo(machine: Machine) -> None:
    commands = machine(has=set(PYTHON_PACKAGES), user=1000, tools=("apt-get", "sudo"))
    assert commands
    assert {command[0] for command in commands} == {"sudo"}


def test_a_policy_that_is_there_stays(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "policy-rc.d").touch()
    commands = machine(has=set(PYTHON_PACKAGES))
    assert not any("policy-rc.d" in part for command in commands for part in command)


@pytest.mark.parametrize(("user", "tools"), [(0, ()), (1000, ("apt-get",))])
def test_elsewhere_it_says_what_to_install(
    machine: Machine, user: int, tools: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert machine(has=set(PYTHON_PACKAGES), user=user, tools=tools) == []
    said = capsys.readouterr().out
    assert "install these yourself" in said
    assert all(package in said for package in PACKAGES.values())


def test_programs_from_pypi_come_into_an_environment_of_their_own(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "SERVICES_ENVIRONMENT", tmp_path)
    made, filled = machine(has=set(PACKAGES))
    assert made[1] == "venv"
    assert filled[-1] == PYTHON_PACKAGES["glances"]
    assert str(tmp_path / "bin" / "python") in filled

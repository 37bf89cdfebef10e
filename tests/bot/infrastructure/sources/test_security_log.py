from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bot.application.collecting.polling import Reader
from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.domain.readings.source import DataSource
from app.bot.infrastructure.readers import open_reader
from app.bot.infrastructure.sources import Resources
from app.bot.infrastructure.sources.security_log.ssh_logins import Logins, message_of
from tests.support.fake_programs import FakePrograms

NOW = datetime.now(UTC)
Open = Callable[..., Reader]


@pytest.fixture
async def opened(resources: Resources) -> AsyncIterator[Open]:
    readers: list[Reader] = []

    def open_one(**config: Any) -> Reader:
        readers.append(open_reader(DataSource(1, "log", "security_log", config=config), resources))
        return readers[-1]

    yield open_one
    for reader in readers:
        await reader.close()


class Log:
    """A file as rsyslog writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def write(self, *messages: str, at: datetime = NOW, old: bool = False, end: str = "\n") -> None:
        time = f"{at.astimezone():%b %e %H:%M:%S}" if old else at.astimezone().isoformat()
        with self.path.open("a") as file:
            for message in messages:
                file.write(f"{time} nas sshd[{os.getpid()}]: {message}{end}")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "auth.log")


def failed(reading: Reading) -> float | None:
    metric = reading.metric("failed")
    assert metric is not None
    return metric.value


MESSAGES = (
    ("Failed password for root from 198.51.100.7 port 40000 ssh2", ("root", "198.51.100.7", False)),
    ("Failed password for invalid user admin from 2001:db8::7 port 4 ssh2", ("admin", "2001:db8::7", False)),
    ("Failed keyboard-interactive/pam for invalid user x from 198.51.100.7 port 5 ssh2", ("x", "198.51.100.7", False)),
    ("Failed password for invalid user  from 198.51.100.7 port 6 ssh2", ("", "198.51.100.7", False)),
    (
        "Failed password for invalid user a from 1.2.3.4 port 22 from 198.51.100.9 port 7 ssh2",
        ("a from 1.2.3.4 port 22", "198.51.100.9", False),
    ),
    ("Connection closed by authenticating user root 198.51.100.8 port 8 [preauth]", ("root", "198.51.100.8", False)),
    ("Connection reset by invalid user pi 198.51.100.8 port 9 [preauth]", ("pi", "198.51.100.8", False)),
    ("Disconnected from invalid user pi 198.51.100.8 port 10 [preauth]", ("pi", "198.51.100.8", False)),
    ("Accepted publickey for ada from 192.0.2.5 port 11 ssh2: ED25519 SHA256:abc", ("ada", "192.0.2.5", True)),
    ("Accepted password for ada from 192.0.2.5 port 12 ssh2", ("ada", "192.0.2.5", True)),
    ("Failed none for invalid user x from 198.51.100.7 port 13 ssh2", None),
    ("Invalid user admin from 198.51.100.7 port 4", None),
    ("Server listening on 0.0.0.0 port 22.", None),
    ("Connection closed by 198.51.100.7 port 14 [preauth]", None),
    ("pam_unix(sshd:session): session opened for user ada(uid=1000) by (uid=0)", None),
)


@pytest.mark.parametrize(("message", "expected"), MESSAGES)
def test_messages_of_sshd(message: str, expected: tuple[str, str, bool] | None) -> None:
    login = Logins().of(NOW, message)
    assert (None if login is None else (login.user, login.address, login.accepted)) == expected


RECORDED = """\
Server listening on 127.0.0.1 port 22922.
Accepted publickey for root from 127.0.0.1 port 45092 ssh2: ED25519 SHA256:dk7Kq00x8q743LvM8nNEsG90tZFvJ7u0f9ZF0e2r6e4
Received disconnect from 127.0.0.1 port 45092:11: disconnected by user
Disconnected from user root 127.0.0.1 port 45092
Connection closed by authenticating user root 127.0.0.1 port 45098 [preauth]
Invalid user nobodyatall from 127.0.0.1 port 45102
Connection closed by invalid user nobodyatall 127.0.0.1 port 45102 [preauth]
Failed password for root from 127.0.0.1 port 45104 ssh2
Connection closed by authenticating user root 127.0.0.1 port 45104 [preauth]
Invalid user admin from 1.2.3.4 port 5 from 127.0.0.1 port 45108
Could not get shadow information for NOUSER
Failed password for invalid user admin from 1.2.3.4 port 5 from 127.0.0.1 port 45108 ssh2
Connection closed by invalid user admin from 1.2.3.4 port 5 127.0.0.1 port 45108 [preauth]
"""
"""Of OpenSSH 9.2: a key that is right, two that are wrong, and two wrong passwords."""


def test_a_real_log() -> None:
    logins = Logins()
    found = [login for line in RECORDED.splitlines() if (login := logins.of(NOW, line)) is not None]
    assert [(login.user, login.accepted) for login in found] == [
        ("root", True),
        ("root", False),
        ("nobodyatall", False),
        ("root", False),
        ("admin from 1.2.3.4 port 5", False),
    ]
    assert {login.address for login in found} == {"127.0.0.1"}


def test_an_attempt_counts_once() -> None:
    logins = Logins()
    told = (
        "Invalid user pi from 198.51.100.8 port 9",
        "Failed password for invalid user pi from 198.51.100.8 port 9 ssh2",
        "Connection closed by invalid user pi 198.51.100.8 port 9 [preauth]",
    )
    assert sum(logins.of(NOW, message) is not None for message in told) == 1


def test_lines_of_both_formats() -> None:
    now = datetime(2025, 1, 2, 12, tzinfo=UTC)
    message = "Failed password for root from 198.51.100.7 port 1 ssh2"
    for line in (
        f"2025-01-02T11:00:00.123456+00:00 nas sshd[12]: {message}",
        f"2025-01-02T12:00:00+01:00 nas sshd-session[12]: {message}",
        f"{datetime(2025, 1, 2, 11, tzinfo=UTC).astimezone():%b %e %H:%M:%S} nas sshd[12]: {message}",
    ):
        found = message_of(line, now)
        assert found is not None
        assert found[0].replace(microsecond=0) == datetime(2025, 1, 2, 11, tzinfo=UTC)
        assert found[1] == message
    of_last_year = message_of(f"Dec 31 23:00:00 nas sshd[12]: {message}", now)
    assert of_last_year is not None
    assert of_last_year[0].year == 2024
    for line in ("", "Jan  2 11:00:00 nas sudo[1]: x", "Feb 30 11:00:00 nas sshd[1]: x", "x" * 10_000):
        assert message_of(line, now) is None


async def test_a_file(opened: Open, log: Log) -> None:
    log.write(*(message for message, _ in MESSAGES), old=True)
    log.write("Failed password for old from 192.0.2.1 port 1 ssh2", at=NOW - timedelta(hours=30))
    reading = await opened(log="file", file=str(log.path)).read()
    assert (reading.status, reading.message) == (Status.UP, "")
    assert failed(reading) == 8
    assert reading.metric("logins").value == 2
    assert reading.metric("failed.addresses").value == 4
    assert reading.items["addresses"][0]["address"] == "198.51.100.7"
    assert [(row["user"], row["count"]) for row in reading.items["users"]][:2] == [("root", 2), ("pi", 2)]
    assert {row["user"] for row in reading.items["logins"]} == {"ada"}


async def test_only_what_is_new_is_read_over_rotations(opened: Open, log: Log) -> None:
    reader = opened(log="file", file=str(log.path), many=4)
    attempt = "Failed password for root from 198.51.100.7 port {} ssh2"
    log.write(attempt.format(1))
    assert failed(await reader.read()) == 1
    assert failed(await reader.read()) == 1
    log.write(attempt.format(2))
    log.write(attempt.format(3), end="")  # sshd is still writing
    assert failed(await reader.read()) == 2
    with log.path.open("a") as file:
        file.write("\n")
    log.write(attempt.format(4))
    log.path.rename(log.path.with_name("auth.log.1"))
    log.write(attempt.format(5))
    reading = await reader.read()
    assert failed(reading) == 5
    assert (reading.status, reading.message) == (Status.DEGRADED, "5 log-ins failed within 24 hours")
    log.path.write_text("")  # as copytruncate does
    await reader.read()
    log.write(attempt.format(6))
    reading = await reader.read()
    assert reading.metric("failed.total") == Metric("failed.total", 6.0, "count", kind=MetricKind.COUNTER)


async def test_odd_bytes_and_names_are_no_fault(opened: Open, log: Log) -> None:
    log.path.write_bytes(b"\xff\xfe\0 nas sshd[1]: Failed\n" + b"x" * 100_000 + b"\n")
    log.write("Failed password for invalid user " + "\\033[31m" * 50 + " from 198.51.100.7 port 1 ssh2")
    reading = await opened(log="file", file=str(log.path)).read()
    assert failed(reading) == 1
    assert len(reading.items["users"][0]["user"]) <= 60


async def test_no_file(opened: Open) -> None:
    with pytest.raises(HomelabError, match=r"/nowhere/auth\.log cannot be read: No such file"):
        await opened(log="file", file="/nowhere/auth.log").read()


def entry(number: int, message: Any, at: datetime = NOW) -> str:
    """A line as journalctl of systemd 252 prints it."""
    fields = {"__CURSOR": f"s=1;i={number}", "__REALTIME_TIMESTAMP": f"{at.timestamp() * 1e6:.0f}", "MESSAGE": message}
    return json.dumps(fields) + "\n"


async def test_the_journal_is_read_on_from_its_cursor(opened: Open, programs: FakePrograms, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    answers = tmp_path / "answers"
    programs.put("journalctl", f'#!/bin/sh\necho "$*" >> {calls}\ncat {answers}\n')
    reader = opened()
    attempt = "Failed password for root from 198.51.100.7 port 1 ssh2"
    answers.write_text(entry(1, attempt) + entry(2, list(attempt.replace("port 1", "port 2").encode())) + "no json\n")
    assert failed(await reader.read()) == 2
    answers.write_text(entry(3, None))
    assert failed(await reader.read()) == 2
    first, second = calls.read_text().splitlines()
    assert "--since=@" in first
    assert first.endswith("SYSLOG_IDENTIFIER=sshd SYSLOG_IDENTIFIER=sshd-session")
    assert "--after-cursor=s=1;i=2" in second
    assert "--since" not in second


async def test_a_journal_that_cannot_be_read(opened: Open, programs: FakePrograms) -> None:
    programs.put("journalctl", "#!/bin/sh\necho 'Failed to seek to cursor' >&2\nexit 1\n")
    with pytest.raises(HomelabError, match="journalctl failed: Failed to seek to cursor"):
        await opened().read()
    complaint = "Hint: You are currently not seeing messages from other users and the system."
    programs.put("journalctl", f"#!/bin/sh\necho '{complaint}' >&2\n")
    with pytest.raises(HomelabError, match="add it to the group systemd-journal"):
        await opened().read()


async def test_the_real_journalctl_takes_the_arguments(opened: Open) -> None:
    if shutil.which("journalctl") is None:
        pytest.skip("journalctl is not installed")
    try:
        reading = await opened().read()
    except HomelabError as error:
        assert "journal" in str(error)  # noqa: PT017  # a machine may have no journal, or not let us read it
        assert "option" not in str(error)  # noqa: PT017
    else:
        assert failed(reading) is not None

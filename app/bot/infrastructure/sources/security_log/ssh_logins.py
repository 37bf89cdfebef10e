"""What sshd writes about those who log in, and those who fail to."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_CONNECTIONS = 5_000
"""Of so many connections it is remembered that a failure was counted."""
_END = r" from (?P<address>\S+) port (?P<port>\d+)(?: ssh2?)?(?:: .*)?$"
# Names are what strangers typed: the greedy (.*) makes the last “from … port …” count, whatever a name holds.
_FAILED = re.compile(r"^Failed (?P<method>\S+) for (?:invalid user |illegal user )?(?P<user>.*)" + _END)
_ACCEPTED = re.compile(r"^Accepted (?P<method>\S+) for (?P<user>.*)" + _END)
_GONE = re.compile(
    r"^(?:Connection (?:closed|reset) by|Disconnected from) (?:invalid|authenticating) user (?P<user>.*) "
    r"(?P<address>\S+) port (?P<port>\d+)(?::\d+: .*)? \[preauth\]$"
)
_LINE = re.compile(
    r"^(?P<time>\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) \S+ "
    r"(?:sshd|sshd-session)(?:\[\d+\])?: (?P<message>.*)$"
)


@dataclass(frozen=True, slots=True)
class Login:
    """A log-in, or a failed one. `address` is as sshd knows it."""

    at: datetime
    user: str
    address: str
    accepted: bool


class Logins:
    """Makes log-ins of messages, each attempt once: sshd tells of a wrong password and of the end of the connection."""

    def __init__(self) -> None:
        self._counted: OrderedDict[tuple[str, str], None] = OrderedDict()

    def of(self, at: datetime, message: str) -> Login | None:
        """Return what a message tells; None for all the others that sshd writes."""
        failed = _FAILED.match(message)
        if failed is not None and failed["method"] != "none":
            self._remember(failed["address"], failed["port"])
            return Login(at, failed["user"], failed["address"], False)
        accepted = _ACCEPTED.match(message)
        if accepted is not None:
            return Login(at, accepted["user"], accepted["address"], True)
        gone = _GONE.match(message)
        if gone is not None and (gone["address"], gone["port"]) not in self._counted:
            self._remember(gone["address"], gone["port"])
            return Login(at, gone["user"], gone["address"], False)
        return None

    def _remember(self, address: str, port: str) -> None:
        self._counted[address, port] = None
        while len(self._counted) > _CONNECTIONS:
            self._counted.popitem(last=False)


def message_of(line: str, now: datetime) -> tuple[datetime, str] | None:
    """Time and message of a line of auth.log by sshd; None for those of others.

    The old format has no year and no zone: it is the machine's time, and the newest year that is not to come.
    """
    found = _LINE.match(line)
    if found is None:
        return None
    try:
        return _time(found["time"], now), found["message"]
    except ValueError:
        return None


def _time(text: str, now: datetime) -> datetime:
    if text[0].isdigit():
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is not None else at.astimezone()
    local = now.astimezone()
    # With the year in it: the 29th of February is no day of every year.
    at = datetime.strptime(f"{local.year} {text}", "%Y %b %d %H:%M:%S").astimezone()  # local time
    if at > local + timedelta(days=1):
        at = at.replace(year=local.year - 1)
    return at.astimezone(UTC)

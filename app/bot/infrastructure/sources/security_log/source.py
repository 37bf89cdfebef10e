"""The security_log source."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import Metric, MetricKind, Reading, Status
from app.bot.infrastructure.sources.base import Resources, Source, source_types
from app.bot.infrastructure.sources.security_log.auth_log import AuthLog
from app.bot.infrastructure.sources.security_log.journal import Journal
from app.bot.infrastructure.sources.security_log.ssh_logins import Login, Logins
from app.bot.infrastructure.threads import in_thread

_KEPT = 50_000
"""Log-ins remembered at most; an attack of a botnet makes thousands an hour."""
_ROWS = 50
_TEXT_CHARACTERS = 60


@source_types.register("security_log")
class SecurityLog(Source, title="Security log"):
    """Failed and successful log-ins by SSH on this machine, from the journal of systemd or from auth.log.

    Metrics: failed and logins (within the window), failed.addresses, failed.users, failed.total (since the bot began
    to read). Tables: addresses, users, failures, logins.
    """

    log: Literal["journal", "file"] = Field("journal", description="Read the journal, or the file")
    file: str = Field("/var/log/auth.log", min_length=1, max_length=1_000, description="The file, for log: file")
    window_hours: float = Field(24, gt=0, le=24 * 31, description="How far back log-ins are counted")
    many: int | None = Field(None, ge=1, description="Degraded when more attempts failed within the window")
    sudo: bool = Field(False, description="Run journalctl by sudo, where the bot's user may do so without a password")

    _journal: Journal | None = PrivateAttr(None)
    _auth_log: AuthLog | None = PrivateAttr(None)
    _logins: Logins = PrivateAttr(default_factory=Logins)
    _seen: deque[Login] = PrivateAttr(default_factory=lambda: deque(maxlen=_KEPT))
    _total: int = PrivateAttr(0)

    async def read(self, resources: Resources) -> Reading:
        """Read what is new since the last reading. Raises ProgramFailedError or SourceFailedError."""
        now = datetime.now(UTC)
        begin = now - timedelta(hours=self.window_hours)
        for at, message in await self._messages(begin, now):
            login = self._logins.of(at, message)
            if login is not None:
                self._seen.append(login)
                self._total += not login.accepted
        return self._reading([login for login in self._seen if login.at >= begin], now)

    async def _messages(self, begin: datetime, now: datetime) -> Iterable[tuple[datetime, str]]:
        if self.log == "journal":
            self._journal = self._journal or Journal(self.sudo)
            return await self._journal.read(begin)
        self._auth_log = log = self._auth_log or AuthLog(self.file)
        return await in_thread(lambda: log.read(now), "auth-log")

    def _reading(self, logins: Sequence[Login], now: datetime) -> Reading:
        failed = [login for login in logins if not login.accepted]
        accepted = [login for login in logins if login.accepted]
        many = self.many is not None and len(failed) > self.many
        message = f"{len(failed)} log-ins failed within {self.window_hours:g} hours" if many else ""
        addresses = _counted(failed, lambda login: login.address, "address")
        users = _counted(failed, lambda login: login.user, "user")
        return Reading(
            now,
            Status.DEGRADED if many else Status.UP,
            message,
            (
                Metric("failed", float(len(failed)), "count"),
                Metric("failed.addresses", float(len({login.address for login in failed})), "count"),
                Metric("failed.users", float(len({login.user for login in failed})), "count"),
                Metric("failed.total", float(self._total), "count", kind=MetricKind.COUNTER),
                Metric("logins", float(len(accepted)), "count"),
            ),
            {"addresses": addresses, "users": users, "failures": _newest(failed), "logins": _newest(accepted)},
        )


def _counted(failed: Sequence[Login], key: Callable[[Login], str], name: str) -> list[dict[str, Any]]:
    """Who failed most often, with the time of the last attempt."""
    last = {key(login): login.at for login in failed}
    most = Counter(map(key, failed)).most_common(_ROWS)
    return [{name: _shown(value), "count": count, "last": last[value].isoformat()} for value, count in most]


def _newest(logins: Sequence[Login]) -> list[dict[str, Any]]:
    rows = sorted(logins, key=lambda login: login.at, reverse=True)[:_ROWS]
    return [{"time": row.at.isoformat(), "user": _shown(row.user), "address": _shown(row.address)} for row in rows]


def _shown(text: str) -> str:
    """Return a name that a stranger typed, in one short line."""
    return shorten(one_line(text), _TEXT_CHARACTERS)

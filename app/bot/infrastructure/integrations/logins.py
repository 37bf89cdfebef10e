"""Log-ins that many sources share: one at a time for the same credentials, however many sources need it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.bot.domain.errors import HomelabError

_REMEMBERED = 1_000
REFUSED_SECONDS = 60.0
"""How long a log-in that was refused is not tried again: servers lock out who tries too often."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a log-in gave: what is sent with each request from then on. `hidden` is what no one may see of it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    valid_until: float = float("inf")


class LoginRefusedError(HomelabError):
    """The server does not take the credentials."""


@dataclass(slots=True)
class _Login:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    session: Session | None = None
    refusal: LoginRefusedError | None = None
    refused_until: float = 0.0


class Logins:
    """The sessions of a process by what they logged in with; the secrets themselves are not kept, only a digest."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._logins: OrderedDict[str, _Login] = OrderedDict()

    def __repr__(self) -> str:
        return "Logins()"

    async def get(self, key: str, log_in: Callable[[], Awaitable[Session]], expired: Session | None) -> Session:
        """Return the session for this key: the one there is, unless it ran out or is the `expired` one, else a new one.

        Raises LoginRefusedError, also for a while after the server refused, or what `log_in` raises.
        """
        login = self._logins.setdefault(key, _Login())
        self._logins.move_to_end(key)
        while len(self._logins) > _REMEMBERED:
            self._logins.popitem(last=False)
        async with login.lock:
            now = self._timer()
            if login.refusal is not None and now < login.refused_until:
                raise LoginRefusedError(str(login.refusal))
            known = login.session
            if known is not None and known is not expired and now < known.valid_until:
                return known
            login.session = login.refusal = None
            try:
                login.session = await log_in()
            except LoginRefusedError as refusal:
                login.refusal, login.refused_until = refusal, self._timer() + REFUSED_SECONDS
                raise
            return login.session


def login_key(*parts: Any) -> str:
    """Return a digest of everything that makes two log-ins the same."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=32).hexdigest()

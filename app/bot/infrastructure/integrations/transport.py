"""One described request over the wire: through the right certificates and proxy, of limited size."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Literal

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.integrations.connection import Connection
from app.bot.infrastructure.integrations.calls import Call
from app.bot.infrastructure.network.http_requests import Request, open_socket, send
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.threads import in_thread

_MEBIBYTE = 1024 * 1024
_LARGE_BYTES = 64 * 1024
_BEGINNING_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Received:
    """An answer with its body."""

    status: int
    status_text: str
    headers: CIMultiDictProxy[str]
    cookies: SimpleCookie
    content: bytes
    text: str
    seconds: float

    def accepted(self, others: Collection[int] = ()) -> bool:
        """Whether this is a success, or one of the other statuses that are right."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES or self.status in others


class Transport:
    """Sends the calls of one source."""

    def __init__(self, session: aiohttp.ClientSession, connection: Connection, proxy: str, secrets: SecretUse) -> None:
        self._session = session
        self._connection = connection
        self._proxy = proxy
        self._secrets = secrets

    async def send(self, call: Call) -> Received:
        """Return the answer, whatever its status.

        Raises RequestFailedError; SourceFailedError for one that is too large.
        """
        started = time.perf_counter()
        async with send(self._session, await self._request(call)) as answer:
            content, complete = await answer.read(self._connection.max_mebibytes * _MEBIBYTE)
            if not complete:
                raise self.too_large()
            return Received(
                answer.status,
                answer.status_text,
                answer.response.headers,
                answer.response.cookies,
                content,
                answer.text(content),
                time.perf_counter() - started,
            )

    async def open_socket(self, address: URL) -> aiohttp.ClientWebSocketResponse:
        """Return a WebSocket, to be closed by who asked for it. Raises RequestFailedError."""
        call = Call("GET", address, CIMultiDict[str]())
        return await open_socket(self._session, await self._request(call), self._connection.max_mebibytes * _MEBIBYTE)

    def too_large(self) -> SourceFailedError:
        """Return what to raise for an answer over the limit."""
        limit = self._connection.max_mebibytes
        return SourceFailedError(f"The answer is larger than {limit} MiB. If that is right, raise max_mebibytes")

    async def _request(self, call: Call) -> Request:
        authority = self._connection.ca_certificate.strip()
        return Request(
            call.method,
            call.url,
            call.headers,
            call.body,
            self._connection.verify_tls,
            tls=await in_thread(lambda: _trusting(authority), "authority") if authority else None,
            proxy=self._proxy or None,
        )

    async def read(self, received: Received, form: Literal["json", "text"]) -> Any:
        """Return what an answer says. Raises SourceFailedError for one that is no JSON."""
        if form == "text":
            return received.text
        if len(received.content) > _LARGE_BYTES:  # parsing megabytes takes longer than the event loop may wait
            return await in_thread(lambda: parsed(received.content, self._secrets), "json")
        return parsed(received.content, self._secrets)


def parsed(content: bytes, secrets: SecretUse) -> Any:
    """JSON. Raises SourceFailedError, which quotes how the answer begins."""
    try:
        return json.loads(content)
    except RecursionError:
        raise SourceFailedError("Not JSON that can be read: it is nested too deeply") from None
    except ValueError:
        text = secrets.hide(" ".join(content[:1_000].decode(errors="replace").split()))
        begins = f"it begins with “{shorten(text, _BEGINNING_CHARACTERS)}”" if text else "the answer is empty"
        raise SourceFailedError(f"Not JSON: {begins}") from None


@lru_cache(maxsize=32)
def _trusting(authority: str) -> ssl.SSLContext:
    """TLS that trusts an authority of the user's besides the known ones. Raises SourceFailedError."""
    context = ssl.create_default_context()
    try:
        if "-----BEGIN" in authority:
            context.load_verify_locations(cadata=authority)
        else:
            context.load_verify_locations(cadata=Path(authority).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no certificate (PEM)"
        raise SourceFailedError(f"connection.ca_certificate cannot be used: {reason}") from None
    return context

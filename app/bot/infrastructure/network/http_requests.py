"""One HTTP request of a data source, and every way it can fail in words that a person understands."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus

import aiohttp
from yarl import URL

from app.bot.domain.errors import HomelabError
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.network.http_session import CheckedResponse

MAX_REDIRECTS = 5
_NOT_VALID = "The request cannot be sent: a header or the address is not valid"
_CLOSING_SECONDS = 1.0
"""How long a WebSocket's other end may take to say goodbye."""
_CHUNK_BYTES = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class RequestFailedError(HomelabError):
    """A request got no usable answer; the text is the reason, without address or credentials."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `url` has no credentials in it; those are in `headers`.

    `tls` says which authorities to trust, besides `verify_tls`; `proxy` is the address of an HTTP proxy.
    """

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    verify_tls: bool = True
    follow_redirects: bool = True
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer, its body not read yet, and the certificates (DER) met on the way to it."""

    response: aiohttp.ClientResponse
    certificates: tuple[bytes, ...]

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status

    @property
    def status_text(self) -> str:
        """Such as “503 Service Unavailable”; the phrase is the standard's, not what the server wrote."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    async def read(self, limit: int) -> tuple[bytes, bool]:
        """Return the body, at most `limit` bytes of it, and whether that is all. Raises RequestFailedError."""
        body = bytearray()
        with _named_failures():
            async for chunk in self.response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > limit:
                    return bytes(body[:limit]), False
        return bytes(body), True

    def text(self, body: bytes) -> str:
        """Return the body as text, in the encoding that the server names, else UTF-8; what does not fit is replaced."""
        try:
            return body.decode(self.response.charset or "utf-8", errors="replace")
        except LookupError:
            return body.decode(errors="replace")


@asynccontextmanager
async def send(session: aiohttp.ClientSession, request: Request) -> AsyncIterator[Answer]:
    """Send a request, follow its redirects, and give the answer while its connection is open.

    The config's headers go only to the server that they were written for. Raises RequestFailedError.
    """
    certificates: list[bytes] = []
    for _ in range(MAX_REDIRECTS + 1):
        with _named_failures():
            response = await session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                ssl=_trusted(request),
                proxy=request.proxy,
                allow_redirects=False,
            )
        async with response:
            if isinstance(response, CheckedResponse) and response.certificate:
                certificates.append(response.certificate)
            location = response.headers.get("Location")
            if not (request.follow_redirects and response.status in _REDIRECTS and location):
                yield Answer(response, tuple(certificates))
                return
        request = _redirected(request, response.status, location)
    raise RequestFailedError(f"More than {MAX_REDIRECTS} redirects")


async def open_socket(session: aiohttp.ClientSession, request: Request, limit: int) -> aiohttp.ClientWebSocketResponse:
    """Return a WebSocket at the request's address; no message may be larger than `limit` bytes.

    Raises RequestFailedError.
    """
    with _named_failures():
        try:
            return await session.ws_connect(
                request.url,
                headers=request.headers,
                ssl=_trusted(request),
                proxy=request.proxy,
                max_msg_size=limit,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING_SECONDS),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise RequestFailedError(f"No WebSocket there: answered {error.status}") from None


def _trusted(request: Request) -> ssl.SSLContext | bool:
    return request.tls if request.tls is not None and request.verify_tls else request.verify_tls


def _redirected(request: Request, status: int, location: str) -> Request:
    """Return the request that a redirect asks for (RFC 9110, section 15.4)."""
    try:
        target = request.url.join(URL(location))
    except ValueError:
        raise RequestFailedError("Redirected to something that is no address") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise RequestFailedError("Redirected to something that is no web address")
    same_server = _same_server(request.url, target)
    becomes_get = status == HTTPStatus.SEE_OTHER or (status in (301, 302) and request.method == "POST")
    if request.body is not None and not becomes_get and not same_server:
        raise RequestFailedError(
            f"Redirected to another server ({target.host}), where the body is not sent, for it may hold a secret. "
            "Enter that server's address if you trust it"
        )
    return replace(
        request,
        method="GET" if becomes_get and request.method != "HEAD" else request.method,
        url=target.with_user(None),
        headers=request.headers if same_server else {},
        body=None if becomes_get else request.body,
    )


def _same_server(one: URL, other: URL) -> bool:
    """Whether headers meant for one address may go to the other: the same origin, or its step up to HTTPS."""
    upgraded = (one.scheme, one.port, other.scheme, other.port) == ("http", 80, "https", 443)
    return one.host == other.host and (upgraded or one.origin() == other.origin())


@contextmanager
def _named_failures() -> Iterator[None]:
    """Turn whatever aiohttp raises into RequestFailedError, cut off from a cause that may hold addresses."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
        raise RequestFailedError(explain(error, _NOT_VALID)) from None

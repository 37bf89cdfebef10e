"""TCP connections, also with TLS, of what speaks no HTTP; every failure in words that a person understands."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohappyeyeballs

from app.bot.domain.errors import HomelabError, InvalidConfigError
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.network.http_session import HostResolver
from app.bot.infrastructure.network.pem import read_pem
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.threads import in_thread

_NEXT_ADDRESS_SECONDS = 0.25
"""How long the first address of a host is waited for before the next is tried as well (RFC 8305, section 5)."""
_CLOSING_SECONDS = 1.0
"""How long the other end may take to say goodbye; nothing is lost with one that does not."""


class ConnectionFailedError(HomelabError):
    """There is no connection; the text is the reason, without the address. `cause` is the system's own error."""

    def __init__(self, reason: str, cause: Exception | None = None) -> None:
        super().__init__(reason)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Stream:
    """An open connection. Seconds tell how long connecting took, and the TLS handshake (None without TLS)."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    connect_seconds: float
    handshake_seconds: float | None = None

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What TLS agreed on."""
        found = self.writer.get_extra_info("ssl_object")
        return found if isinstance(found, ssl.SSLObject) else None


async def addresses_of(host: str, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[str]:
    """Return the IP addresses of a host as the operating system knows them. Raises ConnectionFailedError."""
    try:
        found = await HostResolver().resolve(host, 0, family)
    except (OSError, UnicodeError):
        raise ConnectionFailedError("The host name is unknown") from None
    return [result["host"] for result in found]


@asynccontextmanager
async def open_stream(
    host: str, port: int, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> AsyncIterator[Stream]:
    """Yield a connection to the first address of a host that answers, closed at the end.

    `server_name` is the name that TLS asks for and checks, where it is not `host`. Raises ConnectionFailedError.
    """
    stream = await _open(host, port, tls, server_name)
    try:
        yield stream
    finally:
        stream.writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(stream.writer.wait_closed(), _CLOSING_SECONDS)


async def _open(host: str, port: int, tls: ssl.SSLContext | None, server_name: str) -> Stream:
    try:
        found = await HostResolver().resolve(host, port)
    except (OSError, UnicodeError):
        raise ConnectionFailedError("The host name is unknown") from None
    try:
        ends = await in_thread(lambda: [_end(result["host"], port) for result in found], f"address-{host}")
        started = time.perf_counter()
        connected = await aiohappyeyeballs.start_connection(ends, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        connect_seconds = time.perf_counter() - started
        address = str(connected.getpeername()[0])
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection(
            sock=connected, ssl=tls, server_hostname=(server_name or host) if tls else None
        )
    except (OSError, ValueError) as error:
        raise ConnectionFailedError(explain(error), error) from None
    handshake_seconds = time.perf_counter() - started if tls else None
    return Stream(reader, writer, address, connect_seconds, handshake_seconds)


def _end(address: str, port: int) -> aiohappyeyeballs.AddrInfoType:
    """Return what a socket needs to connect to an address; unlike the address alone it keeps the zone of IPv6."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=flags)[0]


async def client_tls(verify: bool, ca_certificate: str, secrets: SecretUse) -> ssl.SSLContext:
    """TLS that trusts the known authorities and, where given, one's own (PEM, a path or a secret).

    Raises InvalidConfigError that names the field, or a secret's error.
    """
    own = await read_pem("ca_certificate", ca_certificate, secrets) if ca_certificate else ""
    context = await in_thread(ssl.create_default_context, "load-authorities")
    if own:
        trust(context, own)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trust(context: ssl.SSLContext, pem: str) -> None:
    """Let a context trust an authority as well. Raises InvalidConfigError that names the field."""
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise InvalidConfigError(
            "ca_certificate: this is no certificate. Enter the whole file, from -----BEGIN to -----END"
        ) from None

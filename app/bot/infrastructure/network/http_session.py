"""The one HTTP session of the process: no cookies, no pool of threads for names, certificates within reach."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from datetime import datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509

from app.bot.infrastructure.threads import in_thread

_USER_AGENT = "homelab-discord-bot"


class HostResolver(AbstractResolver):
    """Asks the operating system for addresses (hosts file, mDNS and all), in a thread of its own for each name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the host's addresses. Raises OSError."""
        return await in_thread(lambda: _addresses(host, port, family), f"resolve-{host}")

    async def close(self) -> None:
        """Nothing is held."""


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    results: list[ResolveResult] = []
    for found, _, protocol, _, address in socket.getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    ):
        # getnameinfo keeps the zone of a link-local IPv6 address, which the plain address lacks.
        numeric, _ = socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
        results.append(ResolveResult(hostname=host, host=numeric, port=port, family=found, proto=protocol, flags=flags))
    return results


class CheckedResponse(aiohttp.ClientResponse):
    """A response that remembers the certificate it came with (DER), also after its connection is given back."""

    certificate: bytes | None = None

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Take the certificate from the connection before the answer may close it."""
        secured = connection.transport.get_extra_info("ssl_object") if connection.transport else None
        self.certificate = secured.getpeercert(binary_form=True) if secured else None
        return await super().start(connection)


def make_session(tls: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """Return the session for all data sources and actions; close it at the end. `tls` holds the authorities to trust.

    Without a time limit of its own: anyone who waits for an answer limits that.
    """
    connector = aiohttp.TCPConnector(
        limit=0,  # connections that hang must not keep others waiting; the collection bounds how many there are
        resolver=HostResolver(),
        ssl=tls if tls is not None else True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": _USER_AGENT},
        response_class=CheckedResponse,
    )


def certificate_days(certificates: Sequence[bytes], now: datetime) -> float | None:
    """Days until the first of these certificates (DER) runs out; negative when one did. None for none."""
    ends: list[datetime] = []
    for certificate in certificates:
        try:
            ends.append(x509.load_der_x509_certificate(certificate).not_valid_after_utc)
        except ValueError:  # a certificate that no rule allows but some device sends
            continue
    return min(((end - now).total_seconds() / 86_400 for end in ends), default=None)

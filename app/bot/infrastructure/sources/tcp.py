"""The tcp source."""

from __future__ import annotations

import asyncio
import codecs
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.connections import ConnectionFailedError, Stream, client_tls, open_stream
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, Source, source_types

_SEARCHED_BYTES = 64 * 1024
_BANNER_CHARACTERS = 200


def _unescaped(text: str) -> str:
    r"""Replace \r, \n, \t, \\ and \xNN by what they mean in most languages."""
    return codecs.decode(text.encode("latin-1", "backslashreplace"), "unicode_escape")


def _check_escapes(text: str) -> str:
    try:
        _unescaped(text)
    except ValueError:
        raise ValueError(r"has an unfinished escape; write a backslash as \\") from None
    return text


Escaped = Annotated[str, Field(max_length=4_000), AfterValidator(_check_escapes)]


@source_types.register("tcp")
class Tcp(Source, title="TCP"):
    """Whether a TCP port is open, how fast, and whether the server there says what it should.

    Metrics: latency (until it is connected, without looking up the name), handshake (of TLS), answer (until the
    expected text is there). Table: connection (address, banner).
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address, such as 192.168.1.5")
    port: int = Field(ge=1, le=65_535, description="Port, such as 22")
    send: Escaped = Field(
        "", description=r"Text to send once connected, such as PING\r\n; may hold ${secret:name}. Empty: nothing"
    )
    expect: Escaped = Field("", description="Text that must come back, such as SSH-2.0; empty: an open port is enough")
    tls: bool = Field(False, description="Encrypt the connection")
    verify_tls: bool = Field(True, description="Refuse a certificate that is not trusted")
    server_name: str = Field("", max_length=255, description="Name of the certificate, where it is not the host")
    ca_certificate: str = Field(
        "", max_length=100_000, description="Certificate of your own authority: PEM, ${secret:name} or path of a file"
    )
    slow_seconds: float | None = Field(None, gt=0, description="Degraded when connecting takes longer than this")

    async def read(self, resources: Resources) -> Reading:
        """Connect once. Whatever is wrong with the server is what the reading says."""
        secrets = SecretUse(resources.secrets)
        tls = await client_tls(self.verify_tls, self.ca_certificate, secrets) if self.tls else None
        # Escapes first: a backslash within a secret is one.
        message = (await secrets.fill(_unescaped(self.send))).encode()
        try:
            async with open_stream(self.host, self.port, tls, self.server_name) as stream:
                return await self._talk(stream, message, secrets)
        except ConnectionFailedError as error:
            return _reading(Status.DOWN, str(error))

    async def _talk(self, stream: Stream, message: bytes, secrets: SecretUse) -> Reading:
        started = asyncio.get_running_loop().time()
        try:
            stream.writer.write(message)
            await stream.writer.drain()
            received = await self._received(stream.reader) if self.expect else b""
        except (OSError, EOFError) as error:
            return _reading(Status.DOWN, explain(error), stream)
        answer = asyncio.get_running_loop().time() - started if self.expect else None
        banner = shorten(one_line(secrets.hide(received.decode(errors="replace"))), _BANNER_CHARACTERS)
        if self.expect and self._expected not in received:
            said = f"It said: {banner}" if banner else "It said nothing"
            return _reading(Status.DOWN, f"The server did not say “{self.expect}”. {said}", stream, banner)
        if self.slow_seconds is not None and stream.connect_seconds > self.slow_seconds:
            slow = f"Connecting took longer than {self.slow_seconds:g} s"
            return _reading(Status.DEGRADED, slow, stream, banner, answer)
        return _reading(Status.UP, "", stream, banner, answer)

    @property
    def _expected(self) -> bytes:
        return _unescaped(self.expect).encode()

    async def _received(self, reader: asyncio.StreamReader) -> bytes:
        """Return what the server says until it said what it should, or has nothing more to say."""
        received = b""
        while self._expected not in received and len(received) < _SEARCHED_BYTES:
            chunk = await reader.read(4_096)
            if not chunk:
                break
            received += chunk
        return received


def _reading(
    status: Status, message: str, stream: Stream | None = None, banner: str = "", answer: float | None = None
) -> Reading:
    return Reading(
        datetime.now(UTC),
        status,
        message,
        (
            Metric("latency", stream.connect_seconds if stream else None, "seconds"),
            Metric("handshake", stream.handshake_seconds if stream else None, "seconds"),
            Metric("answer", answer, "seconds"),
        ),
        {"connection": [{"address": stream.address, "banner": banner}] if stream else []},
    )

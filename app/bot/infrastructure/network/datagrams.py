"""Questions and answers by UDP, of what may lose them; every failure in words that a person understands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.bot.infrastructure.network.connections import ConnectionFailedError, addresses_of
from app.bot.infrastructure.network.errors import explain

_TRIES = 3
_MOST_WAITING = 64
"""Datagrams kept unread: who sends more than it was asked for loses them."""


class Datagrams(asyncio.DatagramProtocol):
    """One end of a conversation by UDP. `answer_seconds` is how long an answer is waited for before asking again."""

    def __init__(self, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._waiting: asyncio.Queue[bytes | OSError] = asyncio.Queue(_MOST_WAITING)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep what sends."""
        self._transport = transport

    def datagram_received(self, data: bytes, _address: object) -> None:
        """Keep what came."""
        if not self._waiting.full():
            self._waiting.put_nowait(data)

    def error_received(self, error: Exception) -> None:
        """Keep why nothing comes: mostly that no one listens."""
        if isinstance(error, OSError) and not self._waiting.full():
            self._waiting.put_nowait(error)

    async def ask(self, question: bytes) -> bytes:
        """Return the next datagram after a question. Raises ConnectionFailedError after several tries."""
        for _ in range(_TRIES):
            assert self._transport is not None  # noqa: S101  # the loop calls connection_made before it gives this out
            self._transport.sendto(question)
            try:
                return await self.next()
            except TimeoutError:
                continue
        raise ConnectionFailedError("No answer in time")

    async def next(self) -> bytes:
        """Return the next datagram. Raises TimeoutError, or ConnectionFailedError when no one listens."""
        found = await asyncio.wait_for(self._waiting.get(), self._answer_seconds)
        if isinstance(found, OSError):
            raise ConnectionFailedError(explain(found))
        return found


@asynccontextmanager
async def open_datagrams(host: str, port: int, answer_seconds: float) -> AsyncIterator[Datagrams]:
    """Yield a conversation with the first address of a host. Raises ConnectionFailedError."""
    address = (await addresses_of(host))[0]
    try:
        transport, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Datagrams(answer_seconds), remote_addr=(address, port)
        )
    except (OSError, ValueError) as error:
        raise ConnectionFailedError(explain(error)) from None
    try:
        yield datagrams
    finally:
        transport.close()

"""A guard in front of asyncpg: it has no limit of what comes in, and loops for ever on a message without a length.

Every message of a PostgreSQL server is a type, a length of four bytes that counts itself, and as much content:
https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

_HEADER_BYTES = 5
_LENGTH_BYTES = 4
_TYPES = frozenset(b"123ACDEGHIKNRSTVWZdcnstv")


class WatchedLoop:
    """The event loop as asyncpg sees it: its connections are cut off when what comes in is no answer, or too much."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self._loop = loop
        self._left = limit
        self.exceeded = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(self, factory: Any, *arguments: Any, **named: Any) -> Any:
        """As the loop does, with a guard before a PostgreSQL protocol."""
        transport, protocol = await self._loop.create_connection(self._guarded(factory), *arguments, **named)
        return transport, protocol.inner if isinstance(protocol, _Guard) else protocol

    async def create_unix_connection(self, factory: Any, *arguments: Any, **named: Any) -> Any:
        """As the loop does, with a guard before a PostgreSQL protocol."""
        transport, protocol = await self._loop.create_unix_connection(self._guarded(factory), *arguments, **named)
        return transport, protocol.inner if isinstance(protocol, _Guard) else protocol

    def cover(self, connection: asyncpg.Connection[Any]) -> None:
        """Guard a connection that was made with TLS, which asyncpg puts between itself and the loop."""
        transport = connection._transport  # type: ignore[attr-defined]  # the driver offers no other way
        inner = transport.get_protocol()
        if not isinstance(inner, _Guard):
            transport.set_protocol(_Guard(inner, self, transport))

    def spend(self, size: int) -> bool:
        """Whether so many bytes more may come in."""
        self._left -= size
        self.exceeded = self.exceeded or self._left < 0
        return not self.exceeded

    def _guarded(self, factory: Any) -> Any:
        def make() -> Any:
            protocol = factory()
            # What asks for TLS reads a single byte, which has no frame.
            return _Guard(protocol, self) if hasattr(protocol, "get_server_pid") else protocol

        return make


class _Guard(asyncio.Protocol):
    """Passes on what comes in as long as its frames are right."""

    def __init__(self, inner: Any, watch: WatchedLoop, transport: asyncio.Transport | None = None) -> None:
        self.inner = inner
        self._watch = watch
        self._transport = transport
        self._header = b""
        self._rest = 0
        self._cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass it on."""
        self._transport = transport  # type: ignore[assignment]  # a connection's transport is one of streams
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Pass it on, or cut the connection."""
        if self._cut:
            return
        if self._watch.spend(len(data)) and self._is_framed(data):
            self.inner.data_received(data)
        elif self._transport is not None:
            self._cut = True
            self._transport.abort()

    def _is_framed(self, data: bytes) -> bool:
        position = 0
        while position < len(data):
            skipped = min(self._rest, len(data) - position)
            self._rest -= skipped
            position += skipped
            if self._rest or position == len(data):
                break
            taken = data[position : position + _HEADER_BYTES - len(self._header)]
            self._header += taken
            position += len(taken)
            if len(self._header) == _HEADER_BYTES:
                length = int.from_bytes(self._header[1:], signed=True)
                if self._header[0] not in _TYPES or length < _LENGTH_BYTES:
                    return False
                self._rest, self._header = length - _LENGTH_BYTES, b""
        return True

    def eof_received(self) -> bool | None:
        """Pass it on."""
        closes: bool | None = self.inner.eof_received()
        return closes

    def connection_lost(self, error: Exception | None) -> None:
        """Pass it on."""
        self.inner.connection_lost(error)

    def pause_writing(self) -> None:
        """Pass it on."""
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self.inner.resume_writing()

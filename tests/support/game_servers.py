"""Game servers for tests: what speaks their protocols, by TCP and UDP, well-behaved or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Answer = Callable[[bytes], list[bytes]]


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        for datagram in self._answer(data):
            self._transport.sendto(datagram, address)


@asynccontextmanager
async def udp_server(answer: Answer) -> AsyncIterator[int]:
    """A server that answers each datagram with those that `answer` gives; gives its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(answer), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


@asynccontextmanager
async def tcp_server(answer: bytes, *, hangs: bool = False) -> AsyncIterator[int]:
    """A server that says this to whoever says something, and closes; or says nothing. Gives its port."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        if hangs:
            await done.wait()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        done.set()

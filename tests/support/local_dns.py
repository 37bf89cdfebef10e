"""A real DNS server on loopback, by UDP and TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import dns.exception
import dns.flags
import dns.message

Respond = Callable[[dns.message.Message], dns.message.Message | bytes | None]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str | int, int]) -> None:
        answer = _wire(self._respond, data, 1_232)
        if answer is not None:
            self._transport.sendto(answer, address)


def _wire(respond: Respond, data: bytes, largest: int) -> bytes | None:
    answer = respond(dns.message.from_wire(data))
    if not isinstance(answer, dns.message.Message):
        return answer
    try:
        return answer.to_wire(max_size=largest)
    except dns.exception.TooBig:
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()


@asynccontextmanager
async def dns_server(respond: Respond) -> AsyncIterator[int]:
    """A server that answers what `respond` returns, or nothing for None; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2))
        answer = _wire(respond, await reader.readexactly(length), 65_535)
        if answer is not None:
            writer.write(len(answer).to_bytes(2) + answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(respond), local_addr=("127.0.0.1", port))
        try:
            yield port
        finally:
            transport.close()

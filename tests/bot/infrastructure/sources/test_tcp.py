from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.bot.domain.errors import InvalidConfigError
from app.bot.domain.readings.reading import Metric, Status
from app.bot.infrastructure.sources import Resources
from tests.support.local_servers import Authority, nobody


@asynccontextmanager
async def talking(greeting: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that greets, then repeats the line that it was sent; gives its port and what it heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        line = await reader.readline()
        heard.append(line)
        writer.write(line)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1], heard


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_an_open_port(read: Any) -> None:
    async with talking(b"") as (port, _):
        reading = await read("tcp", host="localhost", port=port)
    assert (reading.status, reading.message) == (Status.UP, "")
    assert reading.metric("latency").value > 0
    assert reading.metric("handshake") == Metric("handshake", None, "seconds")
    assert reading.items["connection"] == [{"address": "127.0.0.1", "banner": ""}]


async def test_a_closed_port(read: Any) -> None:
    async with nobody() as url:
        reading = await read("tcp", host="127.0.0.1", port=port_of(url))
    assert (reading.status, reading.message) == (Status.DOWN, "Connection refused")
    assert reading.metric("latency") == Metric("latency", None, "seconds")


async def test_an_unknown_name(read: Any) -> None:
    reading = await read("tcp", host="nowhere.invalid", port=22)
    assert (reading.status, reading.message) == (Status.DOWN, "The host name is unknown")


async def test_a_greeting_is_waited_for(read: Any) -> None:
    async with talking(b"SSH-2.0-OpenSSH_9.2\r\n") as (port, _):
        reading = await read("tcp", host="127.0.0.1", port=port, expect="SSH-2.0")
    assert reading.status is Status.UP
    assert reading.items["connection"][0]["banner"] == "SSH-2.0-OpenSSH_9.2"
    assert reading.metric("answer").value > 0


async def test_what_is_sent_and_said_back(read: Any, resources: Resources) -> None:
    async with talking(b"") as (port, heard):
        reading = await read("tcp", host="127.0.0.1", port=port, send=r"AUTH ${secret:token}\r\n", expect="AUTH")
    assert heard == [b"AUTH s3cr3t/t+ken\r\n"]
    assert reading.items["connection"][0]["banner"] == "AUTH •••"


async def test_another_greeting_is_told(read: Any) -> None:
    async with talking(b"220 mail ready\r\n") as (port, _):
        reading = await read("tcp", host="127.0.0.1", port=port, send=r"QUIT\n", expect="SSH-2.0")
    assert reading.status is Status.DOWN
    assert reading.message == "The server did not say “SSH-2.0”. It said: 220 mail ready QUIT"


async def test_silence_is_told(read: Any) -> None:
    async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reading = await read("tcp", host="127.0.0.1", port=port, expect="+OK")
    assert (reading.status, reading.message) == (Status.DOWN, "The server did not say “+OK”. It said nothing")


async def test_tls(read: Any, authority: Authority) -> None:
    async with talking(b"hello\r\n", authority.server()) as (port, _):
        config = {"host": "127.0.0.1", "port": port, "tls": True, "expect": "hello"}
        reading = await read("tcp", **config)
        assert reading.status is Status.DOWN
        assert reading.message == "The certificate is not trusted: unable to get local issuer certificate"
        reading = await read("tcp", **config, ca_certificate=authority.pem)
        assert (reading.status, reading.message) == (Status.UP, "")
        assert reading.metric("handshake").value > 0
        assert (await read("tcp", **config, verify_tls=False)).status is Status.UP


async def test_no_tls_at_the_port(read: Any) -> None:
    async with talking(b"220 mail ready\r\n") as (port, _):
        reading = await read("tcp", host="127.0.0.1", port=port, tls=True)
    assert (reading.status, reading.message) == (Status.DOWN, "The server does not speak TLS at this port")


async def test_a_slow_connection_degrades(read: Any) -> None:
    async with talking(b"") as (port, _):
        reading = await read("tcp", host="127.0.0.1", port=port, slow_seconds=1e-9)
    assert (reading.status, reading.message) == (Status.DEGRADED, "Connecting took longer than 1e-09 s")


async def test_wrong_configs_name_the_field(read: Any) -> None:
    with pytest.raises(InvalidConfigError, match=r"send: .*unfinished escape"):
        await read("tcp", host="host", port=1, send="\\x")
    with pytest.raises(InvalidConfigError, match="ca_certificate: this is no certificate"):
        await read("tcp", host="host", port=1, tls=True, ca_certificate="nonsense")

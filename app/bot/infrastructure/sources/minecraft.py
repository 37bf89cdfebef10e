"""The minecraft source."""

from __future__ import annotations

import asyncio
import importlib
import json
import struct
import time
from typing import Any, Literal

from pydantic import Field

from app.bot.domain.readings.reading import Reading
from app.bot.infrastructure.network.connections import open_stream
from app.bot.infrastructure.network.datagrams import open_datagrams
from app.bot.infrastructure.network.errors import explain
from app.bot.infrastructure.sources import game_servers
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.threads import in_thread

_BEDROCK_PORT = 19132
_LARGEST_BYTES = 1024 * 1024
"""A status with an icon has some 30 KiB."""
_ANSWER_SECONDS = 2.0
_LOOK_UP_SECONDS = 3.0
_FOREIGN = "The answer is not that of a Minecraft server"
_PING = bytes.fromhex("01" + "0000000000000000" + "00ffff00fefefefefdfdfdfd12345678" + "0000000000000000")
"""RakNet's Unconnected Ping: https://minecraft.wiki/w/RakNet#Unconnected_Ping"""
_STATUS_VERSION = 47
"""What the client says to be; for a status any will do."""


@source_types.register("minecraft")
class Minecraft(Source, title="Minecraft"):
    """A Minecraft server, Java or Bedrock: who plays, which version, and how fast it answers.

    Metrics: players, players.max, latency. Tables: servers (name, game, version, players, maximum, address, map, mode),
    players (name; a Java server tells a few of them, Bedrock none).
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address, such as mc.example.org")
    port: int | None = Field(None, ge=1, le=65_535, description="Port; without it what DNS says, or the usual one")
    edition: Literal["java", "bedrock"] = Field("java", description="Which edition the server is for")
    names: tuple[str, ...] = Field(
        ("*",), max_length=200, description="Players whose names may be shown (* and ? allowed); empty list for none"
    )

    async def read(self, _resources: Resources) -> Reading:
        """Ask for the status once. Raises SourceFailedError or ConnectionFailedError."""
        await in_thread(lambda: importlib.import_module("mcstatus"), "import-mcstatus")  # which takes its time
        try:
            return await (self._read_java() if self.edition == "java" else self._read_bedrock())
        except (ValueError, TypeError, LookupError, AttributeError, struct.error, RecursionError):
            raise SourceFailedError(_FOREIGN) from None

    async def _read_java(self) -> Reading:
        host, port = await self._java_address()
        async with open_stream(host, port) as stream:
            started = time.perf_counter()
            try:
                stream.writer.write(_handshake(self.host, port))
                await stream.writer.drain()
                content = await _packet(stream.reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                raise SourceFailedError(explain(error)) from None
            latency = time.perf_counter() - started
        return await in_thread(lambda: self._java_reading(content, latency), "minecraft")

    async def _java_address(self) -> tuple[str, int]:
        from dns.exception import DNSException
        from mcstatus import JavaServer

        if self.port is not None:
            return self.host, self.port
        try:
            found = await JavaServer.async_lookup(self.host, timeout=_LOOK_UP_SECONDS)
        except (DNSException, OSError, ValueError):
            return self.host, JavaServer.DEFAULT_PORT
        return found.address.host, found.address.port

    def _java_reading(self, content: bytes, latency: float) -> Reading:
        from mcstatus.responses import JavaStatusResponse

        status = JavaStatusResponse.build(json.loads(content), latency)
        server = self._server(status.motd.to_plain(), status.version.name, status.players)
        players = [{"name": game_servers.plain(player.name)} for player in status.players.sample or ()]
        return game_servers.reading(server, latency, players, self.names)

    async def _read_bedrock(self) -> Reading:
        from mcstatus.responses import BedrockStatusResponse

        async with open_datagrams(self.host, self.port or _BEDROCK_PORT, _ANSWER_SECONDS) as datagrams:
            started = time.perf_counter()
            answer = await datagrams.ask(_PING)
            latency = time.perf_counter() - started
        if answer[:1] != b"\x1c":
            raise SourceFailedError(_FOREIGN)
        length = int.from_bytes(answer[33:35])
        status = BedrockStatusResponse.build(answer[35 : 35 + length].decode(errors="replace").split(";"), latency)
        server = {
            **self._server(status.motd.to_plain(), status.version.name, status.players),
            "map": game_servers.plain(status.map_name or ""),
            "mode": game_servers.plain(status.gamemode or ""),
        }
        return game_servers.reading(server, latency, (), self.names)

    def _server(self, motd: str, version: str, players: Any) -> dict[str, Any]:
        return {
            "name": game_servers.plain(motd).strip() or self.host,
            "game": f"Minecraft {game_servers.plain(version)}".strip(),
            "version": game_servers.plain(version),
            "players": int(players.online),
            "maximum": int(players.max),
            "address": self.host if self.port is None else f"{self.host}:{self.port}",
        }


def _handshake(host: str, port: int) -> bytes:
    """Return the request for a status: https://minecraft.wiki/w/Java_Edition_protocol/Server_List_Ping"""
    name = host.encode()[:255]
    greeting = b"\0" + _varint(_STATUS_VERSION) + _varint(len(name)) + name + port.to_bytes(2) + b"\x01"
    return _varint(len(greeting)) + greeting + b"\x01\x00"


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


async def _read_varint(reader: asyncio.StreamReader) -> int:
    value = 0
    for shift in range(0, 35, 7):
        (byte,) = await reader.readexactly(1)
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value
    raise SourceFailedError(_FOREIGN)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    """Return the text in the answer. Raises SourceFailedError, or what the connection raises."""
    size = await _read_varint(reader)
    if size > _LARGEST_BYTES or await _read_varint(reader) != 0:
        raise SourceFailedError(_FOREIGN)
    length = await _read_varint(reader)
    if length > size:
        raise SourceFailedError(_FOREIGN)
    return await reader.readexactly(length)

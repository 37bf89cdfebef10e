"""The source_game source."""

from __future__ import annotations

import io
import time
from typing import Any

from pydantic import Field

from app.bot.domain.readings.reading import Metric, Reading
from app.bot.infrastructure.network.connections import ConnectionFailedError
from app.bot.infrastructure.network.datagrams import Datagrams, open_datagrams
from app.bot.infrastructure.sources import game_servers
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types

_ANSWER_SECONDS = 2.0
_SINGLE, _SPLIT = b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff"
_SPLIT_HEADER_BYTES = 12
_MOST_PARTS = 64
_CHALLENGE = 0x41
_CHALLENGES = 5
_FOREIGN = "The answer is not that of a game server (is this the query port?)"


@source_types.register("source_game")
class SourceGame(Source, title="Source game server"):
    """A game server that speaks Valve's query protocol: Counter-Strike, Team Fortress, Garry's Mod, Rust, Valheim, ARK
    and many more.

    Metrics: players, players.max, bots, latency. Tables: servers (name, game, version, players, maximum, address, map,
    password), players (name, score, seconds).
    """

    host: str = Field(min_length=1, max_length=255, description="Name or IP address")
    port: int = Field(27015, ge=1, le=65_535, description="Port for queries, which may differ from the game's")
    players: bool = Field(True, description="Also ask who plays")
    names: tuple[str, ...] = Field(
        ("*",), max_length=200, description="Players whose names may be shown (* and ? allowed); empty list for none"
    )

    async def read(self, _resources: Resources) -> Reading:
        """Ask for information and players. Raises SourceFailedError or ConnectionFailedError."""
        from a2s.exceptions import BrokenMessageError
        from a2s.info import InfoProtocol
        from a2s.players import PlayersProtocol

        try:
            async with open_datagrams(self.host, self.port, _ANSWER_SECONDS) as datagrams:
                started = time.perf_counter()
                info = await _ask(datagrams, InfoProtocol)
                latency = time.perf_counter() - started
                players = await self._players(datagrams, PlayersProtocol) if self.players else []
        except (BrokenMessageError, ValueError, TypeError, LookupError, AttributeError):
            raise SourceFailedError(_FOREIGN) from None
        reading = game_servers.reading(self._server(info), latency, players, self.names)
        bots = getattr(info, "bot_count", None)
        return Reading(
            reading.taken_at,
            metrics=(*reading.metrics, Metric("bots", None if bots is None else float(bots), "count")),
            items=reading.items,
        )

    async def _players(self, datagrams: Datagrams, protocol: Any) -> list[dict[str, Any]]:
        """Who plays; no one where the server keeps that to itself."""
        try:
            found = await _ask(datagrams, protocol)
        except ConnectionFailedError:
            return []
        rows = [
            {"name": game_servers.plain(one.name), "score": one.score, "seconds": round(one.duration)}
            for one in found
            if one.duration == one.duration and abs(one.duration) < 1e9
        ]
        return sorted(rows, key=lambda row: row["score"], reverse=True)

    def _server(self, info: Any) -> dict[str, Any]:
        game = game_servers.plain(info.game) or game_servers.plain(info.folder)
        return {
            "name": game_servers.plain(info.server_name) or self.host,
            "game": game,
            "version": game_servers.plain(getattr(info, "version", "")),
            "players": info.player_count,
            "maximum": info.max_players,
            "address": f"{self.host}:{getattr(info, 'port', None) or self.port}",
            "map": game_servers.plain(info.map_name),
            "password": info.password_protected,
        }


async def _ask(datagrams: Datagrams, protocol: Any) -> Any:
    """Return the answer to a question: https://developer.valvesoftware.com/wiki/Server_queries

    The library reads it, but does not send: compressed parts would let a few bytes become gigabytes there.
    """
    from a2s.byteio import ByteReader

    challenge = 0
    for _ in range(_CHALLENGES):
        content = await _whole(datagrams, await datagrams.ask(_SINGLE + protocol.serialize_request(challenge)))
        reader = ByteReader(io.BytesIO(content), endian="<", encoding="utf-8")
        kind = reader.read_uint8()
        if kind == _CHALLENGE:
            challenge = reader.read_uint32()
        elif protocol.validate_response_type(kind):
            return protocol.deserialize_response(reader, kind, 0.0)
        # Else a late answer to an earlier question.
    raise SourceFailedError(_FOREIGN)


async def _whole(datagrams: Datagrams, datagram: bytes) -> bytes:
    """Return an answer put together from its parts, without its header."""
    parts: dict[int, bytes] = {}
    while datagram.startswith(_SPLIT) and len(datagram) > _SPLIT_HEADER_BYTES:
        identity, count, number = int.from_bytes(datagram[4:8], "little"), datagram[8], datagram[9]
        if identity >> 31 or not 0 < count <= _MOST_PARTS or number >= count:
            raise SourceFailedError(_FOREIGN)
        parts[number] = datagram[_SPLIT_HEADER_BYTES:]
        if len(parts) == count:
            content = b"".join(part for _, part in sorted(parts.items()))
            return content.removeprefix(_SINGLE)
        try:
            datagram = await datagrams.next()
        except TimeoutError:
            raise SourceFailedError("A part of the answer got lost") from None
    if not datagram.startswith(_SINGLE):
        raise SourceFailedError(_FOREIGN)
    return datagram[len(_SINGLE) :]

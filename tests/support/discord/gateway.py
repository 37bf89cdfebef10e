"""The least of Discord's gateway that a client needs to be ready: HELLO, READY, the guild, and heartbeats."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import WSMsgType, web

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _HELLO, _HEARTBEAT_ACK = 0, 1, 2, 6, 10, 11


class Gateway:
    """Every connection gets the same guild. `dispatch` sends an event to all of them."""

    def __init__(self, user: Mapping[str, Any], guild: Callable[[], Mapping[str, Any]], url: Callable[[], str]) -> None:
        self._user, self._guild, self._url = user, guild, url
        self._sockets: dict[web.WebSocketResponse, int] = {}

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it is closed."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": _HELLO, "d": {"heartbeat_interval": 41_250}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            data = json.loads(message.data)
            match data["op"]:
                case op if op == _HEARTBEAT:
                    # discord.py notes the time of a heartbeat after sending it: an answer at once counts from the last.
                    await asyncio.sleep(0.02)
                    await socket.send_json({"op": _HEARTBEAT_ACK})
                case op if op == _IDENTIFY:
                    await self._welcome(socket, data["d"])
                case op if op == _RESUME:
                    await socket.send_json({"op": 9, "d": False})
        self._sockets.pop(socket, None)
        return socket

    async def close(self, code: int = 1001) -> None:
        """End every connection; by the default code clients connect again."""
        for socket in list(self._sockets):
            await socket.close(code=code)

    async def dispatch(self, event: str, data: Mapping[str, Any]) -> None:
        """Send an event to every client."""
        for socket in list(self._sockets):
            await self._send(socket, event, data)

    async def _welcome(self, socket: web.WebSocketResponse, identify: Mapping[str, Any]) -> None:
        self._sockets[socket] = 0
        ready = {
            "v": 10,
            "user": self._user,
            "guilds": [{"id": self._guild()["id"], "unavailable": True}],
            "session_id": "local",
            "resume_gateway_url": self._url(),
            "shard": identify.get("shard", [0, 1]),
            "application": {"id": self._user["id"], "flags": 0},
        }
        await self._send(socket, "READY", ready)
        await self._send(socket, "GUILD_CREATE", self._guild())

    async def _send(self, socket: web.WebSocketResponse, event: str, data: Mapping[str, Any]) -> None:
        self._sockets[socket] += 1
        await socket.send_json({"op": _DISPATCH, "t": event, "s": self._sockets[socket], "d": data})

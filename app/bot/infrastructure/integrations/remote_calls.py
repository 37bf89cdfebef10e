"""Calls of JSON-RPC 2.0 over one WebSocket: opened and logged in with the first call of a reading."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from functools import partial
from http.cookies import SimpleCookie
from typing import Any

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.integrations.authentication import JsonRpcAuthentication
from app.bot.infrastructure.integrations.calls import Call, Values, joined_address, make_remote_call
from app.bot.infrastructure.integrations.logins import LoginRefusedError, Logins, Session, login_key
from app.bot.infrastructure.integrations.transport import Received, Transport
from app.bot.infrastructure.network.http_requests import RequestFailedError
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.threads import in_thread
from app.shared.jmespaths import PathError, search

_REASON_CHARACTERS = 200
_LARGE = 64 * 1024
_NO_HEADERS = CIMultiDictProxy(CIMultiDict[str]())


class RemoteCalls:
    """The WebSocket of one reading. Calls go one after the other: servers answer those of one socket in any order."""

    def __init__(
        self,
        authentication: JsonRpcAuthentication,
        base: URL,
        values: Values,
        *,
        transport: Transport,
        logins: Logins,
    ) -> None:
        self._authentication = authentication
        self._address = joined_address(base.with_user(None), authentication.path)
        self._values = values
        self._transport = transport
        self._logins = logins
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._failure: str | None = None
        self._last = 0
        self._lock = asyncio.Lock()

    async def send(self, call: Call) -> Received:
        """Return what a call gave, as if it were an answer of HTTP.

        Raises LoginRefusedError, RequestFailedError, or SourceFailedError for a call that went wrong.
        """
        async with self._lock:
            if self._failure is not None:  # one attempt for each reading, however many calls wait
                raise SourceFailedError(self._failure)
            try:
                socket = self._socket or await self._open()
            except HomelabError as error:
                self._failure = str(error)
                raise
            started = time.perf_counter()
            content = await self._result(socket, call)
            seconds = time.perf_counter() - started
        return Received(200, "OK", _NO_HEADERS, SimpleCookie(), content, content.decode(), seconds)

    async def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            await self._socket.close()

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        call = make_remote_call(self._authentication.login, self._address, self._values)
        key = login_key(str(self._address), call.method, repr(call.body))
        self._socket = socket = await self._transport.open_socket(self._address)
        await self._logins.get(key, lambda: self._log_in(socket, call), None)
        return socket

    async def _log_in(self, socket: aiohttp.ClientWebSocketResponse, call: Call) -> Session:
        """Return a session that ends at once: the next reading has a WebSocket of its own. Refusals are remembered."""
        try:
            accepted = search(self._authentication.accepted, json.loads(await self._result(socket, call)))
        except (PathError, SourceFailedError) as error:
            raise SourceFailedError(f"The log-in failed: {error}") from None
        if accepted is not True:
            raise LoginRefusedError("The log-in was refused. Check the credentials")
        return Session(valid_until=0.0)

    async def _result(self, socket: aiohttp.ClientWebSocketResponse, call: Call) -> bytes:
        """Return what a call gave, as JSON."""
        self._last += 1
        request = {"jsonrpc": "2.0", "id": self._last, "method": call.method, "params": json.loads(call.body or b"[]")}
        try:
            await socket.send_json(request)
            while True:
                text = self._text(socket, await socket.receive())
                # Off the event loop where it is long, as the answers of HTTP.
                answer = _read(text) if len(text) < _LARGE else await in_thread(partial(_read, text), "json")
                if answer.identifier == self._last:  # others are notices that no one asked for
                    break
        except (aiohttp.ClientError, OSError, RuntimeError):
            raise RequestFailedError("The server closed the connection") from None
        if answer.error:
            raise SourceFailedError(f"Answered with an error: {answer.error}")
        return answer.result

    def _text(self, socket: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> str:
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        if socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            raise self._transport.too_large()
        raise RequestFailedError("The server closed the connection")


@dataclass(frozen=True, slots=True)
class _Answer:
    identifier: Any
    error: str
    result: bytes


def _read(text: str) -> _Answer:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise SourceFailedError("The answer is not JSON-RPC")
    error = answer.get("error")
    return _Answer(answer.get("id"), _reason(error) if error else "", json.dumps(answer.get("result")).encode())


def _reason(error: Any) -> str:
    """Why a call went wrong: what the server says in detail, else in general."""
    data = error.get("data") if isinstance(error, dict) else None
    detail = data.get("reason") if isinstance(data, dict) else None
    text = detail or (error.get("message") if isinstance(error, dict) else None) or error
    return shorten(" ".join(str(text).split()), _REASON_CHARACTERS)

"""A small local Discord for a real discord.py client: HTTP with Discord's limits, and the gateway.

Set `discord.http.Route.BASE = server.base_url` and log in with `server.token`.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

from aiohttp import web

from tests.support.discord.files import attach, read_body
from tests.support.discord.gateway import Gateway
from tests.support.discord.limits import Enforcer, Limits, RefusedError, json_answer
from tests.support.discord.messages import Channel, made_at, refusal

BOT_ID = 600_000_000_000_000_000
_ALL_PERMISSIONS = str((1 << 50) - 1)


@web.middleware
async def _answer_refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as refused:
        return refused.answer


class DiscordServer:
    """One guild with text channels. `limits` None lets everything pass.

    `posts` and `edits` hold (time, channel id, message id) of what was done; `refused` what limits refused.
    `before_answer` is awaited after a request was done and before it is answered.
    """

    token = "local.token.of-the-bench"

    def __init__(
        self, guild_id: int, channel_ids: Iterable[int], limits: Limits | None = None, *, latency_seconds: float = 0.0
    ) -> None:
        self.guild_id = guild_id
        self.channels = {channel_id: Channel(channel_id, f"lab-{channel_id}") for channel_id in channel_ids}
        self.latency_seconds = latency_seconds
        self.posts: list[tuple[float, int, int]] = []
        self.edits: list[tuple[float, int, int]] = []
        self.failures: list[int] = []
        """Statuses with which the next requests for messages are answered, after they were done if negative."""
        self.refuse_text: str | None = None
        """Messages that contain this are refused as invalid; `invalid_count` tells how many were."""
        self.invalid_count = 0
        self.request_count = self.look_count = 0
        self.before_answer: Callable[[web.Request], Awaitable[None]] | None = None
        self.bodies: list[tuple[str, str, Any]] = []
        """Method, path and JSON of every request to a message route."""
        self.uploads: list[tuple[str, bytes]] = []
        """Names and bytes of the files that came with them."""
        self.user = {"id": str(BOT_ID), "username": "HomeLab", "discriminator": "0000", "avatar": None, "bot": True}
        self.enforcer = Enforcer(limits)
        self.gateway = Gateway(self.user, self._guild, lambda: self._address("ws", "/gateway"))
        self._expected: dict[str, asyncio.Future[float]] = {}
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        self._port = 0

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        """What discord.http.Route.BASE must be."""
        return self._address("http", "/api/v10")

    @property
    def refused(self) -> list[tuple[float, str, int]]:
        """Answers of 429 as (monotonic time, scope, code)."""
        return self.enforcer.refused

    def message_count(self) -> int:
        """Messages that exist."""
        return sum(len(channel.messages) for channel in self.channels.values())

    def edit_count(self) -> int:
        """Edits that were done."""
        return len(self.edits)

    def expect_edit(self, text: str) -> asyncio.Future[float]:
        """Done with time.perf_counter() at the arrival of the first post or edit that contains this text."""
        return self._expected.setdefault(text, asyncio.get_running_loop().create_future())

    def seed(self, channel_id: int, body: dict[str, Any], age_seconds: float = 0.0) -> int:
        """A message of the bot's that is so old already; returns its id."""
        return int(self.channels[channel_id].post(body, self.user, age_seconds)["id"])

    def _way(self) -> float:
        """Seconds on the way to or from Discord, never the same twice."""
        return random.uniform(0.25, 0.75) * self.latency_seconds

    def _address(self, scheme: str, path: str) -> str:
        return f"{scheme}://127.0.0.1:{self._port}{path}"

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[_answer_refusals])
        message = "/api/v10/channels/{channel}/messages"
        application.add_routes(
            [
                web.get("/api/v10/users/@me", self._answer(self.user)),
                web.get("/api/v10/oauth2/applications/@me", self._answer(self._application_facts())),
                web.get("/api/v10/applications/@me", self._answer(self._application_facts())),
                web.get("/api/v10/gateway/bot", self._gateway_bot),
                web.get("/gateway{slash:/?}", self.gateway.connect),
                web.put("/api/v10/applications/{application}/commands", self._commands),
                web.put("/api/v10/applications/{application}/guilds/{guild}/commands", self._commands),
                web.post("/api/v10/interactions/{interaction}/{token}/callback", self._callback),
                web.post(message, self._message_route("post", self._post)),
                web.get(message, self._message_route("list", self._list)),
                web.put(message + "/pins/{message}", self._message_route("pin", self._pin)),
                web.get(message + "/{message}", self._message_route("get", self._get)),
                web.patch(message + "/{message}", self._message_route("edit", self._edit)),
                web.delete(message + "/{message}", self._message_route("delete", self._delete)),
            ]
        )
        return application

    def _application_facts(self) -> dict[str, Any]:
        return {
            "id": str(BOT_ID),
            "name": "HomeLab",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": 0,
            "team": None,
            "owner": {**self.user, "id": str(BOT_ID + 1), "bot": False},
        }

    def _guild(self) -> dict[str, Any]:
        channels = [
            {"id": str(each.id), "type": 0, "name": each.name, "position": position, "permission_overwrites": []}
            for position, each in enumerate(self.channels.values())
        ]
        everyone = {
            "id": str(self.guild_id),
            "name": "@everyone",
            "permissions": _ALL_PERMISSIONS,
            "position": 0,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }
        me = {"user": self.user, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0}
        return {
            "id": str(self.guild_id),
            "name": "Local guild",
            "owner_id": str(BOT_ID + 1),
            "roles": [everyone],
            "channels": channels,
            "members": [me],
            "member_count": 1,
            "threads": [],
            "emojis": [],
            "stickers": [],
            "features": [],
        }

    def _answer(self, data: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            self.enforcer.count(None, 0)
            if request.headers.get("Authorization") != f"Bot {self.token}":
                return json_answer({"message": "401: Unauthorized", "code": 0}, status=401)
            return json_answer(data)

        return handle

    async def _gateway_bot(self, _request: web.Request) -> web.Response:
        start = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        data = {"url": self._address("ws", "/gateway"), "shards": 1, "session_start_limit": start}
        return json_answer(data)

    async def _commands(self, request: web.Request) -> web.Response:
        self.enforcer.count(None, 0)
        commands = await request.json()
        for number, command in enumerate(commands):
            command |= {"id": str(BOT_ID + 10 + number), "application_id": str(BOT_ID), "version": "1"}
            command.setdefault("description", "")
            command.setdefault("type", 1)
        return json_answer(commands)

    async def _callback(self, request: web.Request) -> web.Response:
        self.bodies.append((request.method, request.path, await request.json()))
        return json_answer({"interaction": {"id": request.match_info["interaction"], "type": 3}})

    def _message_route(
        self, route: str, act: Callable[[web.Request, Channel, dict[str, str]], Awaitable[Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A route of one channel: counted, perhaps refused, done, and answered with the bucket's headers."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self.request_count += 1
            await asyncio.sleep(self._way())
            channel = self.channels.get(int(request.match_info["channel"]))
            headers = self.enforcer.count(route, channel.id if channel else 0)
            if channel is None:
                raise refusal(404, 10003, "Unknown Channel")
            if channel.refuses is not None:
                raise refusal(*channel.refuses)
            failure = self.failures.pop(0) if self.failures else 0
            data = None if failure > 0 else await act(request, channel, headers)
            if self.before_answer is not None:
                await self.before_answer(request)
            if failure:
                return json_answer({"message": "500: Internal Server Error"}, status=abs(failure))
            await asyncio.sleep(self._way())
            if data is None:
                return web.Response(status=204, headers=headers)
            return json_answer(data, headers=headers)

        return handle

    async def _post(self, request: web.Request, channel: Channel, _headers: dict[str, str]) -> Any:
        body, files = await self._body(request)
        before = len(channel.messages)
        attach({}, body, files)
        message = channel.post(body, self.user)
        if len(channel.messages) > before:
            attach(message, body, files)
            self.posts.append((time.monotonic(), channel.id, int(message["id"])))
        return message

    async def _list(self, request: web.Request, channel: Channel, _headers: dict[str, str]) -> Any:
        query = request.query
        before, after = (int(query[name]) if name in query else None for name in ("before", "after"))
        return channel.newest(int(query.get("limit", 50)), before, after)

    async def _get(self, request: web.Request, channel: Channel, _headers: dict[str, str]) -> Any:
        self.look_count += 1
        return channel.get(int(request.match_info["message"]))

    async def _edit(self, request: web.Request, channel: Channel, headers: dict[str, str]) -> Any:
        message_id = int(request.match_info["message"])
        message = channel.get(message_id)
        body, files = await self._body(request)
        self.enforcer.count_edit(channel.id, made_at(message_id), headers)
        attach(message, body, files)
        message |= {key: body[key] for key in ("components", "content", "flags") if key in body}
        self.edits.append((time.monotonic(), channel.id, message_id))
        return message

    async def _delete(self, request: web.Request, channel: Channel, _headers: dict[str, str]) -> Any:
        channel.get(int(request.match_info["message"]))
        del channel.messages[int(request.match_info["message"])]

    async def _pin(self, request: web.Request, channel: Channel, _headers: dict[str, str]) -> Any:
        channel.get(int(request.match_info["message"]))["pinned"] = True

    async def _body(self, request: web.Request) -> tuple[dict[str, Any], dict[int, tuple[str, bytes]]]:
        try:
            text, files = await read_body(request)
        except ConnectionResetError:  # the client was stopped meanwhile
            raise refusal(400, 0, "No body") from None
        if self.refuse_text is not None and f'"{self.refuse_text}"' in text:
            self.invalid_count += 1
            raise refusal(400, 50035, "Invalid Form Body")
        arrived = time.perf_counter()
        for expected, future in list(self._expected.items()):
            if expected in text and not future.done():
                future.set_result(arrived)
                del self._expected[expected]
        body: dict[str, Any] = json.loads(text)
        self.bodies.append((request.method, request.path, body))
        self.uploads += files.values()
        return body, files

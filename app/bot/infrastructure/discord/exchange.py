"""One request through discord.py, answered as soon as Discord answers.

discord.py's own limiter stays underneath, but two of its habits would double what pacing does: it holds a request that
used up a bucket until the bucket's reset, and it sleeps through an answer of 429 or 500 to send the same, meanwhile
outdated body again. So the answer is taken from aiohttp's tracing, and a request that only sleeps is ended.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord

from app.bot.infrastructure.discord.answer import Answer

REQUEST_SECONDS = 60.0
"""No request takes longer unless the network hangs."""

_RETRIED_BY_DISCORD_PY = frozenset({500, 502, 504, 524})


class NoAnswerError(Exception):
    """No answer came: whether the request took effect is not known."""


class Exchange:
    """A request that is on its way."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.held_below = False
        """discord.py waits for the whole bot's limit and must not be disturbed: it lets all others wait as well."""

    def saw(self, answer: Answer) -> None:
        """Take an answer from the wire, unless discord.py goes on with the request by itself."""
        self.held_below = answer.is_retried_below
        if not self.held_below and not self.answered.done():
            self.answered.set_result(answer)


_CURRENT: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("discord_exchange", default=None)
_IN_BACKGROUND: set[asyncio.Task[Any]] = set()


async def perform(call: Callable[[], Coroutine[Any, Any, Any] | Awaitable[Any]]) -> Answer:
    """Make one request and return Discord's answer, whatever it is. Raises NoAnswerError."""
    exchange = Exchange()
    context = contextvars.copy_context()
    context.run(_CURRENT.set, exchange)
    task = asyncio.get_running_loop().create_task(_run(call), context=context)
    try:
        await asyncio.wait({task, exchange.answered}, timeout=REQUEST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        _leave(task, end=not exchange.held_below)
        raise
    if exchange.answered.done():
        answer = exchange.answered.result()
        _leave(task, end=answer.limited or answer.status in _RETRIED_BY_DISCORD_PY)
        return answer
    if not task.done():
        _leave(task, end=not exchange.held_below)
        raise NoAnswerError(f"Discord did not answer within {REQUEST_SECONDS:g} s")
    return _unseen_answer(task)


def traced(before: Callable[[str], None], after: Callable[[Answer], None]) -> aiohttp.TraceConfig:
    """Tracing for discord.Client(http_trace=...).

    `before` is called with the path of each request that `perform` did not make, `after` with every answer.
    """

    async def started(_session: object, _context: SimpleNamespace, sent: aiohttp.TraceRequestStartParams) -> None:
        if _CURRENT.get() is None:
            before(sent.url.path)

    async def ended(_session: object, _context: SimpleNamespace, got: aiohttp.TraceRequestEndParams) -> None:
        exchange = _CURRENT.get()
        status = got.response.status
        if exchange is None and status != 429:
            return
        # aiohttp keeps the body, so discord.py can still read it.
        answer = Answer.read(status, got.response.headers, await got.response.read())
        after(answer)
        if exchange is not None:
            exchange.saw(answer)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(started)
    trace.on_request_end.append(ended)
    return trace


async def _run(call: Callable[[], Awaitable[Any]]) -> Any:
    return await call()


def _leave(task: asyncio.Task[Any], *, end: bool) -> None:
    """Let discord.py finish its own bookkeeping in the background."""
    _IN_BACKGROUND.add(task)
    task.add_done_callback(_forget)
    if end:
        task.cancel()


def _forget(task: asyncio.Task[Any]) -> None:
    _IN_BACKGROUND.discard(task)
    if not task.cancelled():
        task.exception()


def _unseen_answer(task: asyncio.Task[Any]) -> Answer:
    """Return the answer as discord.py understood it, where no trace saw it. Raises NoAnswerError."""
    try:
        return Answer(200, data=task.result())
    except discord.RateLimited as error:
        return Answer(429, data={"retry_after": error.retry_after})
    except discord.HTTPException as error:
        return Answer(error.status, data={"code": error.code, "message": error.text})
    except (OSError, TimeoutError, aiohttp.ClientError, asyncio.CancelledError) as error:
        raise NoAnswerError(f"Discord cannot be reached: {type(error).__name__}") from error

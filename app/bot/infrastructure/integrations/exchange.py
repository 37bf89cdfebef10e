"""All requests of one reading: in order, those that need nothing of each other side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from yarl import URL

from app.bot.domain.errors import HomelabError
from app.bot.domain.integrations.definition import SourceDefinition, request_references
from app.bot.domain.integrations.requests import MAX_REPEATS, IntegrationRequest, Pages
from app.bot.infrastructure.integrations.authorizing import Authorizing
from app.bot.infrastructure.integrations.calls import Call, Values, make_call, make_remote_call
from app.bot.infrastructure.integrations.pause import Pause
from app.bot.infrastructure.integrations.transport import Received, Transport
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import SourceFailedError
from app.bot.infrastructure.threads import in_thread
from app.shared.jmespaths import PathError, search

_AT_A_TIME = 4
"""Requests of one source that run at the same time: what a small server answers without trouble."""
_MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent, to be shown: its address has no secret in it."""

    name: str
    method: str
    address: str
    result: str
    seconds: float
    size: int


@dataclass(slots=True)
class Exchange:
    """What the requests of a reading gave. `answers` is None for a request without answer; `problems` says why."""

    answers: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)


class Missing(Exception):  # noqa: N818  # no error: the server lacks a feature, and the type knows that it may
    """The server answered that it does not have this."""


@dataclass(slots=True)
class Remembered:
    """Answers that may be used again, by the request's name: when they are too old, and what they are."""

    answers: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def find(self, name: str) -> Any | None:
        """Return the answer, unless it is too old."""
        until, answer = self.answers.get(name, (0.0, None))
        return answer if time.monotonic() < until else None


class Requesting:
    """Sends the requests of a definition for one reading."""

    def __init__(
        self,
        definition: SourceDefinition,
        base: URL,
        values: Values,
        *,
        authorizing: Authorizing,
        transport: Transport,
        secrets: SecretUse,
        remembered: Remembered,
        pause: Pause,
    ) -> None:
        self._definition = definition
        self._base = base
        self._values = values
        self._authorizing = authorizing
        self._transport = transport
        self._secrets = secrets
        self._remembered = remembered
        self._pause = pause
        self._slots = asyncio.Semaphore(_AT_A_TIME)

    async def run(self, exchange: Exchange) -> None:
        """Fill the exchange. Raises the reason of the first request that failed and may not."""
        for batch in _batches(self._definition.requests):
            results = await asyncio.gather(
                *(self._answer(request, exchange) for request in batch), return_exceptions=True
            )
            for request, result in zip(batch, results, strict=True):
                exchange.answers[request.name] = None if isinstance(result, BaseException) else result
                if isinstance(result, HomelabError) and request.optional:
                    exchange.problems.append(f"{request.name}: {result}")
                elif isinstance(result, HomelabError) and len(self._definition.requests) > 1:
                    raise SourceFailedError(f"{request.name}: {result}") from None
                elif isinstance(result, BaseException) and not isinstance(result, Missing):
                    raise result

    async def _answer(self, request: IntegrationRequest, exchange: Exchange) -> Any:
        known = self._remembered.find(request.name) if request.cache_seconds else None
        if known is not None:
            return known
        values = {**self._values, "answers": exchange.answers}
        if request.for_each is None:
            answer = await self._pages(request, values, exchange)
        else:
            answer = await self._each(request, values, exchange)
        if request.cache_seconds:
            self._remembered.answers[request.name] = (time.monotonic() + request.cache_seconds, answer)
        return answer

    async def _each(self, request: IntegrationRequest, values: Values, exchange: Exchange) -> list[dict[str, Any]]:
        try:
            # Off the event loop, like all that looks through whole answers: they may be large.
            found = await in_thread(lambda: search(request.for_each or "@", exchange.answers), "for each")
        except PathError as error:
            raise SourceFailedError(f"for_each: {error}") from None
        entries = found if isinstance(found, list) else [] if found is None else [found]
        if len(entries) > MAX_REPEATS:
            exchange.problems.append(f"{request.name}: only the first {MAX_REPEATS} of {len(entries)} were asked for")

        async def answer_for(entry: Any) -> dict[str, Any]:
            try:
                return {"item": entry, "answer": await self._pages(request, {**values, "item": entry}, exchange)}
            except Missing:
                return {"item": entry, "answer": None}

        return list(await asyncio.gather(*(answer_for(entry) for entry in entries[:MAX_REPEATS])))

    async def _pages(self, request: IntegrationRequest, values: Values, exchange: Exchange) -> Any:
        call = (
            make_call(request, self._base, self._definition.headers, values)
            if request.rpc is None
            else make_remote_call(request.rpc, self._base, values)
        )
        pages = request.pages
        if pages is None:
            return await self._send(request, call, exchange)
        entries: list[Any] = []
        current: Call | None = call.with_query(pages.number, str(pages.first)) if pages.number else call
        for count in range(pages.limit):
            if current is None:
                return entries
            page = await self._send(request, current, exchange)
            found, current = await in_thread(partial(_page, pages, call, page, count + 1), "page")
            entries += found[: _MAX_ENTRIES - len(entries)]
            if len(entries) >= _MAX_ENTRIES:
                break
        if current is not None:
            exchange.problems.append(f"{request.name}: there are more pages than the {pages.limit} that were read")
        return entries

    async def _send(self, request: IntegrationRequest, call: Call, exchange: Exchange) -> Any:
        async with self._slots:
            self._pause.check()
            try:
                received = await self._authorizing.send(call)
            except HomelabError as error:
                exchange.sent.append(self._sent(request, call, str(error)))
                raise
        exchange.sent.append(self._sent(request, call, received.status_text, received))
        if received.status in request.optional_statuses:
            raise Missing
        if not received.accepted():
            self._pause.heed(received)
            hint = ". Check the credentials" if received.status in (401, 403) else ""
            raise SourceFailedError(f"Answered {received.status_text}{hint}")
        return await self._transport.read(received, request.format)

    def _sent(self, request: IntegrationRequest, call: Call, result: str, received: Received | None = None) -> Sent:
        return Sent(
            request.name,
            call.method,
            self._secrets.hide(str(call.url.with_user(None))),
            self._secrets.hide(result),
            received.seconds if received else 0.0,
            len(received.content) if received else 0,
        )


def _batches(requests: Iterable[IntegrationRequest]) -> Iterator[list[IntegrationRequest]]:
    """Yield the requests in order, in groups: none of a group needs an answer of the same group."""
    batch: list[IntegrationRequest] = []
    for request in requests:
        if batch and (request.for_each is not None or any(request_references(request))):
            yield batch
            batch = []
        batch.append(request)
    if batch:
        yield batch


def _page(pages: Pages, call: Call, page: Any, count: int) -> tuple[list[Any], Call | None]:
    """Return what is on a page, the `count`-th, and the call for the next one."""
    found = _listed(pages.items, page)
    return found, _next_call(pages, call, page, count, is_empty=not found)


def _listed(path: str, page: Any) -> list[Any]:
    try:
        found = search(path, page)
    except PathError as error:
        raise SourceFailedError(f"pages.items: {error}") from None
    return found if isinstance(found, list) else []


def _next_call(pages: Pages, call: Call, page: Any, count: int, *, is_empty: bool) -> Call | None:
    """Return the call for the page after this one, the `count`-th after the first; None after the last."""
    try:
        if pages.next is None:
            total = search(pages.total_pages, page) if pages.total_pages else None
            if is_empty or (isinstance(total, (int, float)) and count >= total):
                return None
            return call.with_query(pages.number, str(pages.first + count * pages.step))
        mark = search(pages.next, page)
    except PathError as error:
        raise SourceFailedError(f"pages: {error}") from None
    if not isinstance(mark, (str, int)) or isinstance(mark, bool) or mark == "":
        return None
    if pages.into:
        return call.with_query(pages.into, str(mark))
    try:
        url = call.url.join(URL(str(mark)))
    except ValueError:
        raise SourceFailedError("pages.next: the address of the next page is none") from None
    if url.origin() != call.url.origin():
        raise SourceFailedError("pages.next: the next page is on another server, where the log-in is not sent")
    return Call(call.method, url, call.headers, call.body)

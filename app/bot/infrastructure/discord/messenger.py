"""Messages in Discord's channels: the application's Messenger on discord.py's HTTP."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import discord
from discord.http import MultipartParameters

from app.bot.application.publishing.messenger import (
    Cadence,
    ChannelGoneError,
    Draw,
    InvalidMessageError,
    MessageFacts,
    MessageGoneError,
    Messenger,
    NotPermittedError,
    UnavailableError,
)
from app.bot.application.runtime.statistics import Statistics
from app.bot.domain.blocks.block import View
from app.bot.domain.blocks.pictures import pictures_of
from app.bot.domain.dashboards.placements import message_age
from app.bot.infrastructure.discord.answer import Answer
from app.bot.infrastructure.discord.attachments import Attachments, Files, parameters
from app.bot.infrastructure.discord.blocks import to_layout
from app.bot.infrastructure.discord.exchange import NoAnswerError, perform
from app.bot.infrastructure.discord.failures import NEEDED_PERMISSIONS, missing_permissions, named_error
from app.bot.infrastructure.discord.pacing import Pacing, Route, Turn

OLD_SECONDS = 3_600.0 - 5.0
"""From this age on an edit counts as one of an old message (an hour, less what the way to Discord may take)."""
PAGE_MESSAGES, MAX_PAGES = 100, 10
"""How far back a message is looked for: Discord gives at most 100 messages at a time."""

Request = Coroutine[Any, Any, Any]


class DiscordMessenger(Messenger):
    """Messages in Discord. Make the client with `http_trace=pacing.trace()`."""

    def __init__(
        self,
        client: discord.Client,
        pacing: Pacing | None = None,
        statistics: Statistics | None = None,
        attachments: Attachments | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._statistics = statistics or Statistics()
        self._pacing = pacing or Pacing(self._statistics)
        self._attachments = attachments or Attachments()
        self._clock = clock

    def cadence(self, channel_id: int) -> Cadence:
        """Return what edits a channel can really keep, as Discord's answers told so far."""
        return self._pacing.cadence(channel_id)

    async def post(self, channel_id: int, view: View, marker: int, nonce: str) -> int:
        """Send a message; Discord answers a repeated nonce with the message that it made the first time."""
        answer = await self._request(
            Route.POST,
            channel_id,
            lambda: self._client.http.send_message(channel_id, params=_message(view, marker, nonce)),
        )
        self._statistics.posts += 1
        self._attachments.saw(answer.data)
        return int(answer.data["id"])

    async def edit(self, channel_id: int, message_id: int, draw: Draw, marker: int) -> None:
        """Make a message show the newest view when its turn has come."""

        kept = False

        def request() -> Request | None:
            nonlocal kept
            view = draw()
            if view is None:
                return None
            files = self._attachments.of(message_id)
            kept = bool(files)
            return self._client.http.edit_message(channel_id, message_id, params=_message(view, marker, files=files))

        old = message_age(message_id, self._clock()) >= OLD_SECONDS
        try:
            answer = await self._paced(Route.EDIT, channel_id, request, old=old)
        except InvalidMessageError:
            if not kept:
                raise
            self._attachments.forget(message_id)  # a file that is not there any more cannot be kept
            answer = await self._paced(Route.EDIT, channel_id, request, old=old)
        except UnavailableError:
            self._attachments.forget(message_id)  # the edit may have been made or not
            raise
        if answer is not None:
            self._attachments.saw(answer.data)
            self._statistics.edits += 1

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete a message; one that is gone already is no error."""
        self._attachments.forget(message_id)
        try:
            await self._request(
                Route.DELETE, channel_id, lambda: self._client.http.delete_message(channel_id, message_id)
            )
        except (MessageGoneError, ChannelGoneError):
            return

    async def find(self, channel_id: int, marker: int, after: int | None = None) -> int | None:
        """Return the newest message with this marker, looked for in the channel's newest thousand messages."""
        self._require_history(channel_id)
        before: int | None = None
        for _ in range(MAX_PAGES):
            page = await self._page(channel_id, before)
            for message in page:
                if after is not None and int(message["id"]) <= after:
                    return None
                if self._is_mine(message) and _marker_of(message) == marker:
                    return int(message["id"])
            if len(page) < PAGE_MESSAGES:
                return None
            before = int(page[-1]["id"])
        return None

    async def look(self, channel_id: int, message_id: int) -> MessageFacts | None:
        """Whether a message exists."""
        self._require_history(channel_id)
        try:
            answer = await self._request(
                Route.LOOK, channel_id, lambda: self._client.http.get_message(channel_id, message_id)
            )
        except MessageGoneError:
            return None
        self._attachments.saw(answer.data)
        return MessageFacts(pinned=bool(answer.data.get("pinned")))

    async def pin(self, channel_id: int, message_id: int) -> None:
        """Pin a message."""
        await self._request(Route.PIN, channel_id, lambda: self._client.http.pin_message(channel_id, message_id))

    async def _page(self, channel_id: int, before: int | None) -> list[dict[str, Any]]:
        """Raw messages, newest first: only those tell the ids of their components."""
        answer = await self._request(
            Route.LIST, channel_id, lambda: self._client.http.logs_from(channel_id, PAGE_MESSAGES, before=before)
        )
        return sorted(answer.data, key=lambda message: int(message["id"]), reverse=True)

    async def _request(self, route: Route, channel_id: int, request: Callable[[], Request]) -> Answer:
        return await self._paced(route, channel_id, request) or Answer(204)  # only an edit may have nothing to send

    async def _paced(
        self, route: Route, channel_id: int, request: Callable[[], Request | None], *, old: bool = False
    ) -> Answer | None:
        """Make a request in its turn, as often as rate limits refuse it; None where there was nothing to send.

        Raises the application's named errors.
        """
        since: float | None = None
        while True:
            turn = await self._pacing.turn(route, channel_id, old=old, since=since)
            answer = await self._in_turn(turn, request)
            if answer is None or answer.ok:
                return answer
            if not answer.limited:
                raise named_error(answer, missing_permissions(self._client, channel_id))
            since = turn.since

    async def _in_turn(self, turn: Turn, request: Callable[[], Request | None]) -> Answer | None:
        answer: Answer | None = None
        try:
            coroutine = request()
        except ValueError as error:  # discord.py refuses what Discord would refuse
            self._pacing.unused(turn)
            raise InvalidMessageError(f"The message cannot be made: {error}") from error
        except BaseException:
            self._pacing.unused(turn)
            raise
        if coroutine is None:
            self._pacing.unused(turn)
            return None
        try:
            answer = await perform(lambda: coroutine)
        except NoAnswerError as error:
            raise UnavailableError(str(error)) from error
        finally:
            self._pacing.answered(turn, answer)
        return answer

    def _require_history(self, channel_id: int) -> None:
        """Raise NotPermittedError where Discord would give an empty list instead of an error."""
        name = NEEDED_PERMISSIONS["read_message_history"]
        if name in missing_permissions(self._client, channel_id):
            raise NotPermittedError(
                f"The bot lacks the permission {name} in this channel, so it cannot find its own message again. "
                "Grant it to the bot's role."
            )

    def _is_mine(self, message: dict[str, Any]) -> bool:
        user = self._client.user
        return user is None or int(message["author"]["id"]) == user.id


_NO_FILES: Files = {}


def _message(view: View, marker: int, nonce: str | None = None, files: Files | None = _NO_FILES) -> MultipartParameters:
    """Return the body of a message: components and files, no mentions; `files` are those that it has already.

    Raises ValueError for more than a message can hold.
    """
    body: dict[str, Any] = {
        "components": to_layout(view, marker).to_components(),  # type: ignore[no-untyped-call]  # discord.py leaves it out
        "flags": discord.MessageFlags(components_v2=True).value,
        "allowed_mentions": discord.AllowedMentions.none().to_dict(),
    }
    if nonce is not None:
        body |= {"nonce": nonce, "enforce_nonce": True}
    return parameters(body, pictures_of(view), files)


def _marker_of(message: dict[str, Any]) -> int | None:
    components = message.get("components") or ()
    marker = components[0].get("id") if components else None
    return int(marker) if marker is not None else None

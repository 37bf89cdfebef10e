"""How users get their answers: in time, in one look, and always a sentence where something went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from app.bot.application.rendering.answers import Answer, refusal
from app.bot.application.runtime.background import start_detached
from app.bot.domain.blocks.block import View
from app.bot.domain.blocks.pictures import pictures_of
from app.bot.domain.charts.chart import Picture
from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import escape_markdown

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 2.0
"""Discord forgets an interaction without a first answer after 3 s; what takes longer than this is deferred."""
UNEXPECTED = "Something went wrong inside the bot. Its log says what; try again in a moment."
ToLayout = Callable[[View, int | None], discord.ui.LayoutView]
ToFiles = Callable[[Sequence[Picture], Mapping[str, int]], Iterable[Any]]
"""Pictures and the files that a message has (ids by filenames) as discord.py's `attachments`."""
_CANNOT_ANSWER = (discord.HTTPException, aiohttp.ClientError, OSError)


class AttachmentMemory(Protocol):
    """Remembers the files of messages, for whoever edits them next."""

    def learn(self, message_id: int, files: Mapping[str, int]) -> None:
        """Remember the attachments' ids by their filenames."""
        ...

    def forget(self, message_id: int) -> None:
        """Forget what the message has."""
        ...


class Replies:
    """Answers interactions. `to_layout` draws blocks as Discord's own components, `to_files` makes its attachments."""

    def __init__(self, to_layout: ToLayout, to_files: ToFiles, attachments: AttachmentMemory) -> None:
        self._to_layout = to_layout
        self._to_files = to_files
        self._attachments = attachments

    async def command(self, interaction: discord.Interaction[Any], work: Coroutine[Any, Any, View]) -> None:
        """Answer a slash command with what `work` gives, to its user alone."""

        async def answer() -> Answer:
            return Answer(await work)

        await self._answer(interaction, answer(), lambda: interaction.response.defer(ephemeral=True))

    async def component(self, interaction: discord.Interaction[Any], work: Coroutine[Any, Any, Answer]) -> None:
        """Answer a click with what `work` gives: in place of the message's content, or to the user alone."""
        await self._answer(interaction, work, interaction.response.defer)

    async def redraw(self, interaction: discord.Interaction[Any], answer: Answer) -> None:
        """Answer a choice of a drop-down by the message as it is: then the same choice can be made once more."""
        await self._deliver(interaction, answer)

    async def failure(self, interaction: discord.Interaction[Any], text: str) -> None:
        """Tell the user that something did not work, whatever was answered before."""
        await self._deliver(interaction, Answer(refusal(escape_markdown(text))))

    async def _answer(
        self,
        interaction: discord.Interaction[Any],
        work: Coroutine[Any, Any, Answer],
        defer: Callable[[], Awaitable[Any]],
    ) -> None:
        # What the work starts (polls, messages) must not belong to this one interaction. Nor may the time for it: on a
        # simulated Discord the clock of an interaction stands still.
        task = start_detached(_guarded(work), "interaction")
        time_is_up = start_detached(asyncio.sleep(ANSWER_SECONDS), "answer in time")
        await asyncio.wait({task, time_is_up}, return_when=asyncio.FIRST_COMPLETED)
        time_is_up.cancel()
        if not task.done() and not interaction.response.is_done():
            try:
                await defer()
            except _CANNOT_ANSWER as error:
                log.warning("an interaction could not be deferred", reason=_reason(error))
        await self._deliver(interaction, await task)

    async def _deliver(self, interaction: discord.Interaction[Any], answer: Answer) -> None:
        delivered = False
        try:
            await self._send(interaction, answer)
            delivered = True
        except _CANNOT_ANSWER as error:
            log.warning("an interaction could not be answered", reason=_reason(error))
        finally:
            if answer.settle is not None:
                answer.settle(delivered)

    async def _send(self, interaction: discord.Interaction[Any], answer: Answer) -> None:
        """Send an answer; what one message cannot hold follows in further ones."""
        if answer.in_place:
            await self._edit(interaction, answer)
            return
        for view in answer.view.messages:
            layout, files = self.layout(view, answer.marker), list(self._to_files(pictures_of(view), {}))
            if interaction.response.is_done():
                await interaction.followup.send(view=layout, files=files, ephemeral=True)
            else:
                await interaction.response.send_message(view=layout, files=files, ephemeral=True)

    async def _edit(self, interaction: discord.Interaction[Any], answer: Answer) -> None:
        """Answer in place of the message: pictures that it has already are kept, and those it does not show go."""
        layout = self.layout(answer.view, answer.marker)
        present = {file.filename: file.id for file in interaction.message.attachments} if interaction.message else {}
        shown = list(self._to_files(pictures_of(answer.view), present))
        attachments: Any = shown if shown or present else discord.utils.MISSING
        if interaction.message is not None:
            self._attachments.forget(interaction.message.id)
        edited: object
        if interaction.response.is_done():
            edited = await interaction.edit_original_response(view=layout, attachments=attachments)
        else:
            callback = await interaction.response.edit_message(view=layout, attachments=attachments)
            edited = callback.resource if callback is not None else None
        if isinstance(edited, discord.Message):
            self._attachments.learn(edited.id, {file.filename: file.id for file in edited.attachments})

    def layout(self, view: View, marker: int | None = None) -> discord.ui.LayoutView:
        """Return the view as discord.py sends it."""
        layout = self._to_layout(view, marker)
        layout.stop()  # clicks come back by their custom_id; the library need not remember this view
        return layout


async def _guarded(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Turn errors into sentences: the edge of an answer."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001  # the guarded edge of every interaction
        return Answer(refusal(escape_markdown(sentence_of(error))))


def sentence_of(error: Exception) -> str:
    """Return what users read of an error, in plain text; a fault of the bot is logged. Call it while handling one."""
    if isinstance(error, HomelabError):
        return str(error)
    log.exception("an interaction failed")
    return UNEXPECTED


def _reason(error: BaseException) -> str:
    """Return the error without addresses: those of interactions carry their token."""
    if isinstance(error, discord.HTTPException):
        return f"Discord answered {error.status} (code {error.code}): {error.text[:200]}"
    return type(error).__name__

"""Edits the answer of an interaction, by whichever process: all it takes is the interaction's token."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import discord
import structlog
from discord import ui
from discord.http import Route, handle_message_parameters

from app.bot.application.actions.answers import Attachment, RunMessages
from app.bot.domain.actions.runs import ReplyAddress
from app.bot.domain.blocks.block import View
from app.bot.domain.blocks.pictures import pictures_of
from app.bot.infrastructure.discord.attachments import SentFile, to_files
from app.bot.infrastructure.discord.blocks import to_layout

log = structlog.get_logger(__name__)

_GONE = frozenset({10_008, 10_015, 50_027})
"""Unknown message, unknown webhook, and a token that is not valid any more: no retry helps (JSON error codes)."""


class DiscordRunMessages(RunMessages):
    """Answers of runs in Discord."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def show(self, reply: ReplyAddress, view: View, attachment: Attachment | None = None) -> bool:
        """Put the view in the place of the answer; True also where there is nothing left to answer."""
        layout = to_layout(view)
        layout.stop()  # clicks come back by their custom_id; the library need not remember this view
        files: list[Any] = list(to_files(pictures_of(view), {}))
        if attachment is not None:
            layout.add_item(ui.File(f"attachment://{attachment.name}"))
            files.append(SentFile(io.BytesIO(attachment.text.encode()), attachment.name))
        try:
            await self._edit(reply, layout, files)
        except discord.HTTPException as error:
            if error.code not in _GONE:
                log.warning("the answer to an action could not be shown", status=error.status, code=error.code)
            return error.code in _GONE
        except (aiohttp.ClientError, OSError, RuntimeError) as error:  # the last one: the client is closing
            log.warning("the answer to an action could not be shown", reason=type(error).__name__)
            return False
        return True

    async def _edit(self, reply: ReplyAddress, layout: ui.LayoutView, files: list[Any]) -> None:
        route = Route(
            "PATCH",
            f"/webhooks/{{webhook_id}}/{{webhook_token}}/messages/{reply.message}",
            webhook_id=reply.application_id,
            webhook_token=reply.token,
        )
        with handle_message_parameters(view=layout, attachments=files) as parameters:
            if parameters.files:
                await self._client.http.request(route, files=parameters.files, form=parameters.multipart)
            else:
                await self._client.http.request(route, json=parameters.payload)

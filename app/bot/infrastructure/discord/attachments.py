"""Files of messages: what is there already is kept, only what is new is sent."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import discord
from discord.http import MultipartParameters
from discord.utils import _to_json

from app.bot.domain.charts import Picture

MAX_MESSAGES = 10_000
Files = Mapping[str, int]
"""Ids of a message's attachments by their filenames."""


class Attachments:
    """Which files the bot's messages have, as Discord last said."""

    def __init__(self) -> None:
        self._files: OrderedDict[int, Files] = OrderedDict()

    def of(self, message_id: int) -> Files | None:
        """The files of a message; None where Discord has not told yet, such as after a restart."""
        return self._files.get(message_id)

    def saw(self, message: Any) -> None:
        """Take in a message as Discord's JSON describes it."""
        if isinstance(message, Mapping) and "id" in message and "attachments" in message:
            found = {str(file["filename"]): int(file["id"]) for file in message["attachments"]}
            self.learn(int(message["id"]), found)

    def learn(self, message_id: int, files: Files) -> None:
        """Take in the files of a message."""
        self._files[message_id] = files
        self._files.move_to_end(message_id)
        if len(self._files) > MAX_MESSAGES:
            self._files.popitem(last=False)

    def forget(self, message_id: int) -> None:
        """What the message has is not known any more."""
        self._files.pop(message_id, None)


def parameters(body: dict[str, Any], pictures: Sequence[Picture], present: Files | None) -> MultipartParameters:
    """The body of a message with its files; `present` are those that it has already, None where that is not known.

    Discord drops every attachment that an edit does not list, so pictures never pile up. The files are made anew with
    each call, for one that was sent has been read to its end.
    """
    wanted = {picture.filename: picture for picture in pictures}
    known = present or {}
    kept = [{"id": str(known[name])} for name in wanted if name in known]
    files = [_file(picture) for name, picture in wanted.items() if name not in known]
    if present is None or files or len(kept) < len(known):
        body = {**body, "attachments": [*kept, *(file.to_dict(index) for index, file in enumerate(files))]}
    if not files:
        return MultipartParameters(payload=body, multipart=None, files=None)
    parts: list[dict[str, Any]] = [{"name": "payload_json", "value": _to_json(body)}]
    for index, file in enumerate(files):
        parts.append(
            {"name": f"files[{index}]", "value": file.fp, "filename": file.filename, "content_type": "image/png"}
        )
    return MultipartParameters(payload=None, multipart=parts, files=files)


def files_of(pictures: Iterable[Picture], present: Sequence[discord.Attachment]) -> list[Any]:
    """The pictures as discord.py's `attachments`: the ones that a message has already, and files for the others."""
    known = {attachment.filename: attachment for attachment in present}
    return [known.get(picture.filename) or _file(picture) for picture in pictures]


def _file(picture: Picture) -> discord.File:
    return discord.File(io.BytesIO(picture.png), picture.filename)

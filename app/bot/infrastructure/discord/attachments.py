"""Files of messages: what is there already is kept, only what is new is sent."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord.http import MultipartParameters
from discord.utils import _to_json

from app.bot.domain.charts.chart import Picture

MAX_MESSAGES = 10_000
Files = Mapping[str, int]
"""Ids of a message's attachments by their filenames."""


class Attachments:
    """Which files the bot's messages have, as Discord last said."""

    def __init__(self) -> None:
        self._files: OrderedDict[int, Files] = OrderedDict()

    def of(self, message_id: int) -> Files | None:
        """Return the files of a message; None where Discord has not told yet, such as after a restart."""
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
        """Forget what the message has."""
        self._files.pop(message_id, None)


class SentFile(discord.File):
    """A file to send."""

    def to_dict(self, index: int) -> dict[str, Any]:
        """As Discord describes it, with an id of text, where discord.py sends a number."""
        return {**super().to_dict(index), "id": str(index)}


class PictureFile(SentFile):
    """A picture to send, new with each request: one that was sent has been read to its end."""

    def __init__(self, picture: Picture) -> None:
        super().__init__(io.BytesIO(picture.png), picture.filename)


class KeptFile:
    """An attachment that a message has already, in the place of discord.py's own."""

    def __init__(self, attachment_id: int) -> None:
        self._id = attachment_id

    def to_dict(self) -> dict[str, str]:
        """Return what keeps it there."""
        return {"id": str(self._id)}


def to_files(pictures: Sequence[Picture], present: Files) -> list[PictureFile | KeptFile]:
    """Return the pictures as discord.py's `attachments`: those that are there already, and files for the others."""
    wanted = {picture.filename: picture for picture in pictures}
    kept = [KeptFile(present[name]) for name in wanted if name in present]
    return [*kept, *(PictureFile(picture) for name, picture in wanted.items() if name not in present)]


def parameters(body: dict[str, Any], pictures: Sequence[Picture], present: Files | None) -> MultipartParameters:
    """Return the body of a message with its files; `present` are those it has already, None where that is unknown.

    Discord drops every attachment that an edit does not list, so pictures never pile up.
    """
    known = present or {}
    listed = to_files(pictures, known)
    files = [file for file in listed if isinstance(file, PictureFile)]
    if present is None or files or len(listed) < len(known):
        kept = [file.to_dict() for file in listed if isinstance(file, KeptFile)]
        body = {**body, "attachments": [*kept, *(file.to_dict(index) for index, file in enumerate(files))]}
    if not files:
        return MultipartParameters(payload=body, multipart=None, files=None)
    parts: list[dict[str, Any]] = [{"name": "payload_json", "value": _to_json(body)}]
    for index, file in enumerate(files):
        parts.append(
            {"name": f"files[{index}]", "value": file.fp, "filename": file.filename, "content_type": "image/png"}
        )
    return MultipartParameters(payload=None, multipart=parts, files=files)

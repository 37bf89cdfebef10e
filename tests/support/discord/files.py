"""Files of the local Discord's messages: multipart bodies, and attachments that components refer to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from tests.support.discord.messages import refusal, snowflake

_REFERENCE = "attachment://"


async def read_body(request: web.Request) -> tuple[str, dict[int, tuple[str, bytes]]]:
    """The JSON text of a request, and the files that came with it by their index."""
    if not request.content_type.startswith("multipart/"):
        return await request.text(), {}
    text, files = "{}", {}
    async for part in await request.multipart():
        name = getattr(part, "name", None) or ""
        if name == "payload_json":
            text = await part.text()
        elif name.startswith("files["):
            files[int(name[6:-1])] = (part.filename or "", bytes(await part.read()))
    return text, files


def attach(message: dict[str, Any], body: Mapping[str, Any], files: Mapping[int, tuple[str, bytes]]) -> None:
    """Give a message the attachments that a body lists, and refuse references to others, as Discord does."""
    present = {file["id"]: file for file in message.get("attachments", ())}
    attachments = list(present.values())
    if "attachments" in body:
        attachments = [_attachment(listed, present, files) for listed in body["attachments"]]
    names = {file["filename"] for file in attachments}
    for url in _references(body.get("components", ())):
        if url.removeprefix(_REFERENCE) not in names:
            raise refusal(400, 50035, "Invalid Form Body: " + json.dumps(url))
    message["attachments"] = attachments


def _attachment(
    listed: Mapping[str, Any], present: Mapping[str, Any], files: Mapping[int, tuple[str, bytes]]
) -> dict[str, Any]:
    key = str(listed["id"])
    if key in present:
        kept: dict[str, Any] = present[key]
        return kept
    if int(key) not in files:
        raise refusal(400, 50035, "Invalid Form Body: attachments")
    name, data = files[int(key)]
    number = snowflake(time.time())
    url = f"https://cdn.discordapp.com/attachments/{number}/{name}"
    return {"id": str(number), "filename": name, "size": len(data), "url": url, "proxy_url": url}


def _references(value: Any) -> Iterator[str]:
    """Every address of an attachment in components."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _references(part)
    elif isinstance(value, str) and value.startswith(_REFERENCE):
        yield value

"""The lines of a container's log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_HEADER_BYTES = 8
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ?")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LEVEL = re.compile(r"\b(trace|debug|info|notice|warn|warning|err|error|fatal|crit|critical)\b", re.IGNORECASE)
_LEVEL_WITHIN = 80
"""Characters of a line's beginning in which a word can be its level."""
_LINE_CHARACTERS = 1_000


def log_lines(body: bytes) -> list[dict[str, Any]]:
    """Rows of time, message, level and stream, oldest first, from what GET /containers/{id}/logs answered.

    The level is what a word at the beginning of the line says, else empty.
    """
    return [row for stream, data in _frames(body) for row in _rows(stream, data)]


def _frames(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Stream and bytes of each frame; what a terminal wrote has no frames, and is one (Engine API, attach)."""
    if not _is_header(body[:_HEADER_BYTES]):
        yield "stdout", body
        return
    position = 0
    kept: dict[str, bytes] = {}
    while position + _HEADER_BYTES <= len(body):
        header = body[position : position + _HEADER_BYTES]
        start = position + _HEADER_BYTES
        position = start + int.from_bytes(header[4:], "big")
        stream = _STREAMS.get(header[0], "stdout")
        data = kept.pop(stream, b"") + body[start:position]
        if data.endswith(b"\n"):
            yield stream, data
        else:  # a long line goes on in the stream's next frame
            kept[stream] = data
    yield from kept.items()


def _is_header(header: bytes) -> bool:
    return len(header) == _HEADER_BYTES and header[0] in _STREAMS and header[1:4] == b"\0\0\0"


def _rows(stream: str, data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.decode(errors="replace").split("\n"):
        time = _TIME.match(line)
        text = _COLOURS.sub("", line[time.end() :] if time else line).rstrip("\r")
        if text.strip():
            level = _LEVEL.search(text[:_LEVEL_WITHIN])
            yield {
                "time": time[1] if time else None,
                "message": text[:_LINE_CHARACTERS],
                "level": level[1].casefold() if level else "",
                "stream": stream,
            }

"""The process that draws charts: Vega-Lite in, PNG out, one after another.

app/shared/charts.py starts it as a script, in an empty environment and with nothing of the program imported. A frame
on a pipe is four bytes of length (big-endian) and so many bytes. Every frame in is a specification as JSON text; every
frame out begins with PICTURE and a PNG, or with REFUSED and the reason. The first frame out says that it is ready.

A specification is a program that someone wrote. It may not read files or addresses: vl-convert refuses addresses of
data, but not pictures and `file:` addresses. So every element of the drawing between the two steps (Vega to SVG, SVG to
PNG) is looked at; that also tells its size before there are any pixels.
"""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import sys
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO
from xml.parsers import expat

PICTURE, REFUSED = b"P", b"E"
LENGTH = struct.Struct(">I")
MAX_SPECIFICATION_BYTES = 2 * 2**20
MAX_PICTURE_BYTES = 8 * 2**20
"""Under Discord's 10 MiB for a file."""
MAX_SIDE = 2_000
"""Width and height before scaling: four times what Discord shows."""
SCALE = 2.0
"""Pixels for each unit of the specification: sharp on the displays that people have."""
MAX_MEMORY_BYTES = 1_280 * 2**20
"""Of data, half of it set aside by V8 and never touched. Held by the kernel on Linux only."""
LAST_RESORT_SECONDS = 60
"""The process that asked ends a drawing much earlier. Should that one be gone, the drawing ends itself."""

_ELEMENTS = frozenset({
    "svg", "g", "path", "rect", "line", "text", "tspan", "title", "a", "image", "defs", "clipPath", "linearGradient",
    "radialGradient", "stop", "pattern",
})  # fmt: skip
"""What Vega draws with. None but `image` can refer to anything outside of the drawing."""
_EMBEDDED_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,", re.IGNORECASE)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NOT_IN_XML = re.compile(r"\\\\|\\[bf]|\\u00[01][0-9a-f]|[\ud800-\udfff\ufffe\uffff]")
"""As JSON writes them; the pair of backslashes comes first, for what follows it is no escape."""
_INNER_PLACE = re.compile(r"\s+at\s.*", re.DOTALL)
_MAX_REASON = 300


class RefusedError(Exception):
    """A specification that is not drawn; the text says why."""


def main() -> None:
    """Draw until the pipe is closed."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the library prints must not get between the frames
    _restrict()
    draw('{"data": {"values": [{}]}, "mark": "point"}')
    _write(answers, REFUSED + b"ready")
    while (specification := _read(requests)) is not None:
        _end_itself_in(LAST_RESORT_SECONDS)
        try:
            answer = PICTURE + draw(specification.decode())
        except RefusedError as error:
            answer = REFUSED + str(error).encode()
        _end_itself_in(0)
        _write(answers, answer)


def draw(specification: str) -> bytes:
    """Return the PNG of a specification. Raises RefusedError."""
    import vl_convert

    try:
        parsed = json.loads(specification)
    except ValueError as error:
        raise RefusedError(f"the specification is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise RefusedError("the specification must be a JSON object")
    _refuse_addresses(parsed)
    try:
        drawing = vl_convert.vegalite_to_svg(writable(parsed), allowed_base_urls=[])
        check_drawing(drawing)
        picture = packed(vl_convert.svg_to_png(drawing, scale=SCALE))
    except ValueError as error:
        raise RefusedError(_reason(str(error))) from error
    if len(picture) > MAX_PICTURE_BYTES:
        raise RefusedError(f"the picture has {len(picture) / 2**20:.0f} MiB; draw less, or make it smaller")
    return picture


def writable(parsed: Any) -> str:
    """Return the specification without characters that XML has not: they would crash the library, not fail in it."""
    text = json.dumps(parsed, ensure_ascii=False)
    return _NOT_IN_XML.sub(lambda match: match[0] if match[0] == r"\\" else "\ufffd", text)


def packed(png: bytes) -> bytes:
    """Return the same picture, packed better: the library packs fast and carelessly, four times as large."""
    head, parts, end = png[: len(_SIGNATURE)], [], b""
    position = len(head)
    while position < len(png):
        (length,) = LENGTH.unpack_from(png, position)
        kind, stop = png[position + 4 : position + 8], position + 12 + length
        if kind == b"IDAT":
            parts.append(png[position + 8 : stop - 4])
        elif parts:
            end += png[position:stop]
        else:
            head += png[position:stop]
        position = stop
    data = b"IDAT" + zlib.compress(zlib.decompress(b"".join(parts)), 6)
    return head + LENGTH.pack(len(data) - 4) + data + LENGTH.pack(zlib.crc32(data)) + end


def check_drawing(drawing: str) -> None:
    """Raise RefusedError unless the SVG is self-contained and of a sensible size."""
    first = True

    def started(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal first
        if first:
            _check_size(attributes)
            first = False
        if name not in _ELEMENTS:
            raise RefusedError(f"the drawing has the element “{name}”, which is not allowed")
        if name == "image":
            _check_image(attributes)

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    try:
        parser.Parse(drawing, True)
    except expat.ExpatError as error:
        raise RefusedError(f"the drawing is broken ({error}); texts may not have control characters") from error


def _check_size(attributes: Mapping[str, str]) -> None:
    for side in ("width", "height"):
        try:
            length = float(attributes.get(side, "nan"))
        except ValueError:
            length = float("nan")
        if not 0 < length <= MAX_SIDE:
            raise RefusedError(f"the chart's {side} must be from 1 to {MAX_SIDE}, and is {length:g}")


def _check_image(attributes: Mapping[str, str]) -> None:
    for name in ("href", "xlink:href"):
        address = attributes.get(name)
        if address and _EMBEDDED_PICTURE.match(address) is None:
            raise RefusedError("pictures in a chart must be embedded (data:image/png;base64,...), not addresses")


def _refuse_addresses(value: Any) -> None:
    """Raise RefusedError where data is to come from an address: vl-convert gives nothing for some, without a word."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            data = one.get("data")
            if isinstance(data, dict) and "url" in data:
                raise RefusedError("data cannot be loaded from an address; give it as values or as a named dataset")
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _reason(text: str) -> str:
    """Return what is wrong, without the places in the library's own code."""
    said = _INNER_PLACE.sub("", text.partition("failed:")[2].strip() or text)
    return said.removeprefix("Error: ")[:_MAX_REASON]


def _restrict() -> None:
    """Give up what drawing does not need, where the platform can take it."""
    os.chdir(os.sep)
    if sys.platform != "win32":
        import resource

        os.nice(5)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _end_itself_in(seconds: int) -> None:
    """Have the kernel end this process then, whatever it is doing; 0 for never."""
    if sys.platform != "win32":
        signal.alarm(seconds)


def _read(pipe: BinaryIO) -> bytes | None:
    head = pipe.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return pipe.read(*LENGTH.unpack(head))


def _write(pipe: BinaryIO, frame: bytes) -> None:
    pipe.write(LENGTH.pack(len(frame)) + frame)
    pipe.flush()


if __name__ == "__main__":
    main()

"""The body of a request, read once with a limit, so that it can be checked before a handler reads it."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

MAX_BYTES = 2 * 1024 * 1024


class BodyTooLargeError(Exception):
    """The body is larger than anything that a form or a definition needs."""

    def __init__(self) -> None:
        super().__init__(f"A request may have at most {MAX_BYTES // 1024 // 1024} MiB.")


async def read_body(request: Request) -> bytes:
    """Return the whole body. Raises BodyTooLargeError."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BYTES:
                raise BodyTooLargeError
            chunks.append(chunk)
    except ClientDisconnect:
        return b""
    return b"".join(chunks)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives this body first, and then what the real one has to say."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again

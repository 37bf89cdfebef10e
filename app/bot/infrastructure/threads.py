"""Blocking calls off the event loop, each in a thread of its own.

A pool would let a few calls that hang (a dead network mount, a name server that does not answer) hold up all others,
and its threads would keep the process from ending. These are daemons: no one waits for one that is given up.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(function: Callable[[], Result], name: str) -> Result:
    """Return what `function` returns or raises. After cancellation the thread runs on, and its result is dropped."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def deliver(result: Result | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only where the function gave None

    def work() -> None:
        result: Result | None = None
        failure: Exception | None = None
        try:
            result = function()
        except Exception as error:  # noqa: BLE001  # carried to the caller, who awaits it
            failure = error
        with suppress(RuntimeError):  # the loop was closed meanwhile: no one waits any more
            loop.call_soon_threadsafe(deliver, result, failure)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await future

"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

GENEROUS_SECONDS = 30.0
"""Only a broken product needs as long: no test says how fast something is."""


async def until(
    condition: Callable[[], Result | Awaitable[Result]],
    what: str | Callable[[], Any],
    seconds: float = GENEROUS_SECONDS,
) -> Result:
    """The condition's value once it is true. Fails with `what` was awaited."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value  # type: ignore[return-value]  # awaited above where it had to be
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited in vain for {what() if callable(what) else what}")
        await asyncio.sleep(0.02)

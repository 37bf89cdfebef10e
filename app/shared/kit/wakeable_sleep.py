"""A sleep that ends early when there is something to do."""

from __future__ import annotations

import asyncio


class WakeableSleep:
    """For one sleeper. A call of `wake` that comes while no one sleeps ends the next sleep at once: none is lost."""

    def __init__(self) -> None:
        self._sleeping: asyncio.Task[None] | None = None
        self._woken = False

    def wake(self) -> None:
        """End the sleep."""
        self._woken = True
        if self._sleeping is not None:
            self._sleeping.cancel()

    async def sleep(self, seconds: float) -> None:
        """Sleep until `wake`, or for `seconds`."""
        if not self._woken:
            self._sleeping = asyncio.create_task(asyncio.sleep(seconds))
            try:
                await asyncio.wait({self._sleeping})
            finally:
                self._sleeping.cancel()
                self._sleeping = None
        self._woken = False
        # A sleeper that is woken all the time must not keep others from running.
        await asyncio.sleep(0)

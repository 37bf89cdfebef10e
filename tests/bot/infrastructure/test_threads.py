from __future__ import annotations

import asyncio
import threading

import pytest

from app.bot.infrastructure.threads import in_thread


async def test_the_result_comes_back_from_another_thread() -> None:
    assert await in_thread(threading.current_thread, "work") is not threading.current_thread()


async def test_an_exception_comes_back() -> None:
    def fail() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await in_thread(fail, "work")


async def test_calls_that_hang_hold_up_no_other_and_drop_their_result() -> None:
    release = threading.Event()
    hanging = [asyncio.create_task(in_thread(release.wait, "hang")) for _ in range(100)]
    try:
        assert await in_thread(lambda: "done", "work") == "done"
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        assert all(task.cancelled() for task in hanging)
    finally:
        release.set()
    assert await in_thread(lambda: "still", "work") == "still"

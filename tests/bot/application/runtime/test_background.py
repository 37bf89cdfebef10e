from __future__ import annotations

import asyncio
import contextvars

import pytest
from structlog.testing import capture_logs

from app.bot.application.runtime import background
from app.bot.application.runtime.background import Background, start_detached
from tests.support.waiting import until

_bound = contextvars.ContextVar("_bound", default="nothing")


async def test_a_detached_task_does_not_see_what_was_bound_for_its_starter() -> None:
    async def look() -> str:
        return _bound.get()

    _bound.set("an interaction")

    assert await start_detached(look(), "look") == "nothing"


async def test_runs_until_stopped_then_lets_go_in_order() -> None:
    order: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("ended")

    async def close() -> None:
        order.append("closed")

    parts = Background({"work": work}, (close,))
    parts.start()
    await asyncio.sleep(0)
    await parts.stop()
    await parts.stop()

    assert order == ["ended", "closed"]


async def test_a_part_that_fails_is_logged_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "RESTART_SECONDS", 0.0)
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError("hunter2")
        await asyncio.Event().wait()

    with capture_logs() as lines:
        parts = Background({"work": work})
        parts.start()
        await until(lambda: runs == 2, "the second run")
        await parts.stop()

    assert [line["part"] for line in lines] == ["work"]
    assert "ValueError" in lines[0]["reason"]
    assert "hunter2" not in str(lines)

"""Commands: arguments stay arguments, and a program ends with its caller."""

from __future__ import annotations

import asyncio
import sys

import psutil
import pytest

from app.bot.infrastructure.network import shell as commands
from app.bot.infrastructure.network.shell import CommandFailedError, run_here
from tests.support.waiting import until

PYTHON = sys.executable
PRINT = "import sys; print(sys.argv[1:]); print(sys.stdin.read(), file=sys.stderr); sys.exit(3)"
HOSTILE = ["; rm -rf /", "$(id)", "a b", "`id`", "--help", "x\ny", ""]


async def test_arguments_and_input_arrive_as_they_are() -> None:
    outcome = await run_here([PYTHON, "-c", PRINT, *HOSTILE], "typed")

    assert outcome.status == 3
    assert str(HOSTILE) in outcome.output
    assert "typed" in outcome.output


@pytest.mark.parametrize("arguments", [["/no/such/program"], ["true", "a\0b"]])
async def test_what_cannot_be_started_is_a_sentence(arguments: list[str]) -> None:
    with pytest.raises(CommandFailedError, match="cannot be run"):
        await run_here(arguments)


async def test_endless_output_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_OUTPUT_BYTES", 1_000)

    outcome = await run_here([PYTHON, "-c", "print('x' * 5_000_000)"])

    assert outcome.status == 0
    assert len(outcome.output) <= 1_000 + 64 * 1024


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_program_ends_when_its_caller_is_cancelled(stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_END_SECONDS", 0.2)
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
    task = asyncio.create_task(run_here([PYTHON, "-c", f"{ignore}import time; print(); time.sleep(600)"]))

    def child() -> list[psutil.Process]:
        return [one for one in psutil.Process().children() if "time.sleep(600)" in " ".join(one.cmdline())]

    await until(child, "the program to start")
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert child() == []

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from app.bot.infrastructure.network.programs import Output, ProgramFailedError, run_program
from tests.support.fake_programs import FakePrograms
from tests.support.waiting import until


async def test_arguments_arrive_as_they_are(programs: FakePrograms) -> None:
    programs.put("probe", '#!/bin/sh\nfor argument in "$@"; do echo "<$argument>"; done\nexit 3\n')
    output = await run_program(["probe", "two words", "$(id)", ";'\"", "ü"])
    assert output == Output(3, "<two words>\n<$(id)>\n<;'\">\n<ü>\n", "")


async def test_it_sees_nothing_of_the_bot(programs: FakePrograms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "t0psecret")
    programs.put("probe", "#!/bin/sh\nenv\nread line && echo input\n")
    output = await run_program(["probe"])
    assert "t0psecret" not in output.text
    assert "LC_ALL=C.UTF-8" in output.text
    assert "input" not in output.text


async def test_a_complaint_is_told(programs: FakePrograms) -> None:
    programs.put("probe", "#!/bin/sh\necho 'Permission denied\n(root needed)' >&2; exit 1\n")
    output = await run_program(["probe"])
    assert (output.code, output.reason) == (1, "Permission denied (root needed)")
    programs.put("probe", "#!/bin/sh\nexit 7\n")
    assert (await run_program(["probe"])).reason == "it ended with 7"


async def test_a_missing_program() -> None:
    with pytest.raises(ProgramFailedError, match=r"^nonsense is not installed on the machine the bot runs on$"):
        await run_program(["nonsense"])


async def test_what_cannot_be_run(programs: FakePrograms) -> None:
    programs.put("probe", "#!/nowhere/interpreter\n")
    with pytest.raises(ProgramFailedError, match="probe cannot be run: No such file"):
        await run_program(["probe"])
    with pytest.raises(ProgramFailedError, match="probe cannot be run: an argument holds a NUL"):
        await run_program(["probe", "a\0b"])


async def test_endless_output_is_cut_off(programs: FakePrograms) -> None:
    programs.put("probe", "#!/bin/sh\nexec yes\n")
    with pytest.raises(ProgramFailedError, match="probe printed more than 1 MiB"):
        await run_program(["probe"], largest=1024 * 1024)
    assert not [process for process in psutil.Process().children(recursive=True) if process.name() == "yes"]


async def test_many_complaints_do_not_block_it(programs: FakePrograms) -> None:
    programs.put("probe", "#!/bin/sh\nhead -c 60000 /dev/zero >&2; echo done\n")
    assert (await run_program(["probe"])).text == "done\n"


async def test_cancellation_kills_it_and_its_children(programs: FakePrograms, tmp_path: Path) -> None:
    programs.put("probe", f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/child\necho $$ > {tmp_path}/parent\nwait\n")
    task = asyncio.create_task(run_program(["probe"]))
    await until(lambda: (tmp_path / "parent").exists() and (tmp_path / "parent").read_text().strip(), "the start")
    numbers = [int((tmp_path / name).read_text()) for name in ("child", "parent")]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    def alive(number: int) -> bool:
        return psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE

    await until(lambda: not any(map(alive, numbers)), "their end")

"""Programs of the machine that the bot runs on: argument lists, no shell, an end to time and output, no leftovers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.infrastructure.threads import in_thread

_MEBIBYTE = 1024 * 1024
LARGEST_OUTPUT = 8 * _MEBIBYTE
_LARGEST_COMPLAINT = 64 * 1024
_CHUNK_BYTES = 64 * 1024
_COMPLAINT_CHARACTERS = 200
_MORE_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where programs for administrators are, which is often outside a user's PATH."""
_KEPT_VARIABLES = ("HOME", "USER", "LOGNAME", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


class ProgramFailedError(HomelabError):
    """A program could not be run to its end; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a program printed, and how it ended (0 when all was well, negative when a signal ended it)."""

    code: int
    text: str
    complaint: str

    @property
    def reason(self) -> str:
        """What it complained about, in one line; else the number it ended with."""
        said = one_line(self.complaint or self.text)
        return shorten(said, _COMPLAINT_CHARACTERS) if said else f"it ended with {self.code}"


async def run_program(arguments: Sequence[str], *, sudo: bool = False, largest: int = LARGEST_OUTPUT) -> Output:
    """Run a program and wait for its end. The caller limits the time: cancellation kills it with its children.

    It sees none of the bot's environment, where the token is, and speaks English. With `sudo` it runs as root, where
    that needs no password. Raises ProgramFailedError when it is missing, may not be run, or prints too much.
    """
    program = arguments[0]
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE_FOLDERS))
    wanted = ["sudo", program] if sudo else [program]
    found = await in_thread(lambda: [shutil.which(name, path=path) for name in wanted], "find-program")
    for name, place in zip(wanted, found, strict=True):
        if place is None:
            raise ProgramFailedError(f"{Path(name).name} is not installed on the machine the bot runs on")
    command = [place for place in found if place is not None]
    if sudo:
        command.insert(1, "-n")
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, "PATH": path, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "an argument holds a NUL"
        raise ProgramFailedError(f"{program} cannot be run: {reason}") from None
    try:
        return await _finished(process, program, largest)
    except BaseException:  # cancellation too, which comes when it takes too long
        await _end(process)
        raise


async def _finished(process: asyncio.subprocess.Process, program: str, largest: int) -> Output:
    assert process.stdout is not None  # noqa: S101  # both were asked for
    assert process.stderr is not None  # noqa: S101
    complaining = asyncio.create_task(_read(process.stderr, _LARGEST_COMPLAINT))
    try:
        text, complete = await _read(process.stdout, largest)
        if not complete:
            raise ProgramFailedError(f"{program} printed more than {largest // _MEBIBYTE} MiB")
        complaint, _ = await complaining
    finally:
        complaining.cancel()
    return Output(await process.wait(), text, complaint)


async def _read(stream: asyncio.StreamReader, largest: int) -> tuple[str, bool]:
    """Return what is printed, and whether that is all: the rest of what is too much is not waited for."""
    printed = bytearray()
    while chunk := await stream.read(_CHUNK_BYTES):
        printed += chunk
        if len(printed) > largest:
            return printed[:largest].decode(errors="replace"), False
    return printed.decode(errors="replace"), True


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill whatever still runs of it, its children too: they are in a session of their own."""
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: it became root by sudo, and ends by itself
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 1)

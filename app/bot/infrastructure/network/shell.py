"""Commands on this machine or over SSH: always lists of arguments, with capped output, and ended with their caller."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bot.domain.errors import HomelabError

if TYPE_CHECKING:
    import asyncssh

MAX_OUTPUT_BYTES = 1024 * 1024
"""Of what a command prints; the rest is read and dropped, so that it never blocks."""
_ENVIRONMENT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""What a program learns of the bot's own environment, which may hold its token."""
_CHUNK = 64 * 1024
_END_SECONDS = 2.0


class CommandFailedError(HomelabError):
    """A command could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """How a command ended: its exit status (None: by a signal), and what it printed, both streams as they came."""

    status: int | None
    output: str


async def run_here(arguments: Sequence[str], stdin: str = "") -> CommandOutcome:
    """Run a program of this machine, without a shell. When the caller is cancelled it is ended.

    Raises CommandFailedError where it cannot be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "an argument cannot be passed on"
        raise CommandFailedError(f"“{arguments[0]}” cannot be run: {reason}") from None
    try:
        output, _ = await asyncio.gather(_read(process.stdout), _write(process.stdin, stdin))
        return CommandOutcome(await process.wait(), output)
    finally:
        await _end(process)


async def run_over_ssh(
    connection: asyncssh.SSHClientConnection, arguments: Sequence[str], stdin: str = "", *, complaints: bool = True
) -> CommandOutcome:
    """Run a program over SSH. The protocol knows one line for the other side's shell: each argument is quoted for it.

    Without `complaints` its standard error is dropped, for output that a program reads.
    Raises CommandFailedError where it cannot be started.
    """
    if any("\0" in argument for argument in arguments):
        raise CommandFailedError("An argument cannot be passed on: it has a character that is no text.")
    import asyncssh  # loaded already, by the one who opened the connection

    try:
        process = await connection.create_process(
            shlex.join(arguments),
            stderr=asyncssh.STDOUT if complaints else asyncssh.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    except asyncssh.Error:
        raise CommandFailedError("The host does not let this user run commands.") from None
    try:
        if stdin:
            process.stdin.write(stdin)
        process.stdin.write_eof()
        output, size = [], 0
        while chunk := await process.stdout.read(_CHUNK):
            if size < MAX_OUTPUT_BYTES:
                output.append(chunk)
            size += len(chunk)
        await process.wait()
        by_signal = process.exit_status is None or process.exit_status < 0  # as asyncssh puts it
        return CommandOutcome(None if by_signal else process.exit_status, "".join(output))
    finally:
        if process.exit_status is None:
            process.terminate()
        process.close()


async def _read(stream: asyncio.StreamReader | None) -> str:
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        if len(kept) < MAX_OUTPUT_BYTES:
            kept += chunk
    return kept.decode(errors="replace")


async def _write(stream: asyncio.StreamWriter | None, text: str) -> None:
    if stream is None:
        return
    with suppress(ConnectionError):  # it does not want to read
        if text:
            stream.write(text.encode())
            await stream.drain()
        stream.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program that still runs; one that does not listen is killed."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

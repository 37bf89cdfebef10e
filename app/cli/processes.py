"""The programs that `homelab up` runs side by side: each its own process, stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

STOP_SECONDS = 10.0
"""What a program gets to leave cleanly before it is killed."""
_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when its parent dies. Linux only; elsewhere a killed parent leaves children."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program by the name people know, and the arguments of the `homelab` command that start it."""

    name: str
    arguments: tuple[str, ...]


class ProgramStoppedError(Exception):
    """A program ended that should have gone on; the text names it. `code` is its exit code."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"The {name} stopped (exit code {code}), so everything is stopped.")
        self.code = code


class PortTakenError(Exception):
    """An address or port that is needed cannot be listened on; the text says which variable chooses another."""


def check_ports(host: str, ports: Mapping[str, int]) -> None:
    """Raise PortTakenError unless every port is free; `ports` by the environment variable that chooses each.

    A `host` that is not this machine's can only be the web admin's: the demo's page is always on loopback.
    """
    for variable, port in ports.items():
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                    raise PortTakenError(
                        f"{host} is no address of this machine. Set HOMELAB_WEB_HOST to one it has, or 0.0.0.0 for all."
                    ) from error
                raise PortTakenError(
                    f"Port {port} on {host} cannot be used ({error.strerror}). Stop what uses it, or set {variable} "
                    "to another port."
                ) from error


async def run_programs(programs: Iterable[Program], environment: Mapping[str, str]) -> None:
    """Run programs until SIGTERM or SIGINT, or until one of them ends; then stop the others.

    Raises ProgramStoppedError when one ended by itself.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    running: dict[asyncio.Task[int], tuple[str, asyncio.subprocess.Process]] = {}
    try:
        for program in programs:
            process = await _start(program, environment)
            running[asyncio.create_task(process.wait())] = (program.name, process)
        signalled = asyncio.create_task(stopped.wait())
        done, _ = await asyncio.wait({*running, signalled}, return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        for task in done & set(running):
            name, process = running[task]
            raise ProgramStoppedError(name, process.returncode or 0)
    finally:
        await asyncio.gather(*(_stop(process) for _, process in running.values()))


async def _start(program: Program, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *program.arguments,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        # A group of their own: Ctrl-C reaches this process alone, which then stops them in order.
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

"""Charts drawn beside the program: a process of its own draws, for the event loop and the memory of this one are small.

Bot and web admin both draw. The process is started by the first chart, draws one at a time, is killed when it takes too
long, and ends when no one wanted a chart for a while.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.shared import chart_worker
from app.shared.chart_worker import LENGTH, MAX_PICTURE_BYTES, MAX_SPECIFICATION_BYTES, PICTURE

_COMMAND = (sys.executable, "-I", str(Path(chart_worker.__file__)))
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "FONTCONFIG_FILE", "FONTCONFIG_PATH")
"""What the process may know of this one's environment: where programs, libraries and fonts are, and no secret."""
_NO_FAULT = (0, -9, -15)
"""Exit codes of a process that others ended, such as a kernel short of memory: the next one may draw the same chart."""
_END_SECONDS = 2.0


class ChartError(ValueError):
    """A specification that cannot be drawn, now or later; the text says why."""


class ChartTimeoutError(TimeoutError):
    """A chart took too long; on a machine with less to do it may not."""


class ChartRenderer:
    """Draws Vega-Lite as PNG. For one event loop; `close` it."""

    def __init__(
        self,
        *,
        timeout_seconds: float = 10.0,
        start_seconds: float = 60.0,
        idle_seconds: float = 300.0,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._start_seconds = start_seconds
        self._idle_seconds = idle_seconds
        self._command = command
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """The process that draws, while there is one."""
        return self._process.pid if self._process is not None else None

    async def render(self, specification: str) -> bytes:
        """Return the PNG of a Vega-Lite specification (JSON text).

        Raises ChartError, ChartTimeoutError, or OSError where no process can be started.
        """
        frame = specification.encode("utf-8", "replace")
        if len(frame) > MAX_SPECIFICATION_BYTES:
            size, most = len(frame) / 2**20, MAX_SPECIFICATION_BYTES / 2**20
            raise ChartError(f"The chart's data has {size:.1f} MiB, at most {most:.0f} can be drawn. Show less of it.")
        async with self._turn:
            try:
                answer = await self._ask(frame)
            finally:
                self._wait_idly()
        if answer[:1] == PICTURE:
            return answer[1:]
        raise ChartError(f"Vega-Lite: {answer[1:].decode('utf-8', 'replace')}")

    async def close(self) -> None:
        """End the process. Charts that are asked for later are refused."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        await self._stop()

    async def _ask(self, frame: bytes) -> bytes:
        ended = await self._attempt(frame)
        if isinstance(ended, int) and ended in _NO_FAULT:
            ended = await self._attempt(frame)
        if isinstance(ended, bytes):
            return ended
        raise ChartError("The chart was too much for the program that draws it: it needs too much memory.")

    async def _attempt(self, frame: bytes) -> bytes | int:
        """Return the answer, or how the process ended without one."""
        process = await self._started()
        try:
            return await asyncio.wait_for(_exchange(process, frame), self._timeout_seconds)
        except TimeoutError:
            await self._stop()
            raise ChartTimeoutError(
                f"The chart took more than {self._timeout_seconds:g} s to draw. Show less in it."
            ) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            await _ended(process)
            await self._stop()
            return process.returncode or 0
        except BaseException:  # cancelled between question and answer: the next one must not get this answer
            await self._stop()
            raise

    async def _started(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise OSError("charts are not drawn any more: the program stops")
        if self._process is None or self._process.returncode is not None:
            # The process outlives whatever asked for the first chart.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}, "TZ": "UTC"},
                start_new_session=True,
            )
            try:
                await asyncio.wait_for(_receive(self._process), self._start_seconds)
            except BaseException as error:
                await self._stop()
                if isinstance(error, (TimeoutError, asyncio.IncompleteReadError)):
                    raise OSError("the program that draws charts does not start") from error
                raise
        return self._process

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    def _wait_idly(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if not self._closed and self._process is not None:
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        if self._process is not None and self._process.stdin is not None and not self._turn.locked():
            self._process.stdin.close()  # it ends by itself
            self._process = None


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait a moment for a process that closed its pipes, so that it is known how it ended."""
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _END_SECONDS)


async def _exchange(process: asyncio.subprocess.Process, frame: bytes) -> bytes:
    if process.stdin is None:
        raise ConnectionError("there is no pipe to the program that draws charts")
    process.stdin.write(LENGTH.pack(len(frame)))
    process.stdin.write(frame)
    await process.stdin.drain()
    return await _receive(process)


async def _receive(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise ConnectionError("there is no pipe from the program that draws charts")
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    if length > MAX_PICTURE_BYTES + 1:
        raise ConnectionError("the program that draws charts answers nonsense")
    return await process.stdout.readexactly(length)

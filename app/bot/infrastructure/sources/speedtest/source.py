"""The speedtest source."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, PrivateAttr

from app.bot.domain.errors import HomelabError
from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.programs import Output, run_program
from app.bot.infrastructure.sources.base import Resources, Source, SourceFailedError, source_types
from app.bot.infrastructure.sources.speedtest.results import Result, parse_result

_LONGEST_SECONDS = 300.0
"""A line of a modem takes two minutes; a program that takes longer hangs."""
_AGAIN_SECONDS = 900.0
"""After a test that failed."""
_ARGUMENTS = {
    "speedtest": ["--format=json", "--accept-license", "--accept-gdpr"],
    "speedtest-cli": ["--json", "--secure"],
    "librespeed-cli": ["--json"],
}
_SERVER_OPTION = {"speedtest": "--server-id", "speedtest-cli": "--server", "librespeed-cli": "--server"}
_LARGEST_OUTPUT = 1024 * 1024


@source_types.register("speedtest")
class Speedtest(Source, title="Speedtest"):
    """How fast the internet connection is, measured by a program of this machine, now and then.

    A test takes half a minute and hundreds of megabytes, so it runs in the background and rarely; in between the last
    result stays. Metrics: download, upload, latency, jitter, loss, age. Table: tests (server, provider, link).
    """

    program: Literal["speedtest", "speedtest-cli", "librespeed-cli"] = Field(
        "speedtest", description="Program of Ookla, its free copy in Python, or that of LibreSpeed"
    )
    server: int | None = Field(None, ge=0, description="Number of the server to measure with; empty for the nearest")
    every_minutes: float = Field(180, ge=10, le=10_080, description="Minutes from one test to the next")
    slow_download: float | None = Field(None, gt=0, description="Degraded below so many Mbit/s of download")
    slow_upload: float | None = Field(None, gt=0, description="Degraded below so many Mbit/s of upload")

    _running: asyncio.Task[None] | None = PrivateAttr(None)
    _result: Result | None = PrivateAttr(None)
    _problem: str = PrivateAttr("")
    _finished: float = PrivateAttr(0.0)
    _due: float = PrivateAttr(0.0)

    async def read(self, resources: Resources) -> Reading:
        """Return the last result; begins a test when it is time.

        Raises SourceFailedError while there was never a result.
        """
        if self._running is None and time.monotonic() >= self._due:
            self._running = asyncio.create_task(self._test(resources), name="speedtest")
        if self._result is None and self._problem:
            raise SourceFailedError(self._problem)
        if self._result is None:
            return Reading(datetime.now(UTC), Status.UNKNOWN, "The first test is running")
        return self._reading(self._result)

    async def close(self) -> None:
        """End a test that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def _test(self, resources: Resources) -> None:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                self._result, self._problem = parse_result(json.loads((await self._measure()).text)), ""
            self._finished = time.monotonic()
        except TimeoutError:
            self._problem = f"The test took longer than {_LONGEST_SECONDS:g} s"
        except HomelabError as error:
            self._problem = str(error)
        except (ValueError, TypeError, LookupError):
            self._problem = f"{self.program} printed no result"
        finally:
            self._running = None
        pause = self.every_minutes * 60
        self._due = time.monotonic() + (min(pause, _AGAIN_SECONDS) if self._problem else pause)
        resources.poll_soon()

    async def _measure(self) -> Output:
        server = [] if self.server is None else [_SERVER_OPTION[self.program], str(self.server)]
        output = await run_program([self.program, *_ARGUMENTS[self.program], *server], largest=_LARGEST_OUTPUT)
        if output.code and self.program == "speedtest" and "unrecognized arguments" in output.complaint:
            # The copy in Python installs itself under this name as well.
            server = server and ["--server", str(self.server)]
            output = await run_program(["speedtest", *_ARGUMENTS["speedtest-cli"], *server], largest=_LARGEST_OUTPUT)
        if output.code:
            raise SourceFailedError(f"{self.program} failed: {output.reason}")
        return output

    def _reading(self, result: Result) -> Reading:
        problems = [f"The last test failed: {self._problem}"] if self._problem else []
        for name, measured, least in (
            ("download", result.download, self.slow_download),
            ("upload", result.upload, self.slow_upload),
        ):
            if least is not None and measured is not None and measured < least * 1e6:
                problems.append(f"The {name} is below {least:g} Mbit/s")
        return Reading(
            datetime.now(UTC),
            Status.DEGRADED if problems else Status.UP,
            ". ".join(problems),
            (
                Metric("download", result.download, "bits/s"),
                Metric("upload", result.upload, "bits/s"),
                Metric("latency", result.latency, "seconds"),
                Metric("jitter", result.jitter, "seconds"),
                Metric("loss", result.loss, "percent"),
                Metric("age", time.monotonic() - self._finished, "seconds"),
            ),
            {"tests": [{"server": result.server, "provider": result.provider, "link": result.link}]},
        )

"""The HTTP check source."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from app.bot.domain.readings.reading import Metric, Reading, Status
from app.bot.infrastructure.network.http_requests import Answer, RequestFailedError, send
from app.bot.infrastructure.network.http_session import certificate_days
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, source_types
from app.bot.infrastructure.sources.http_request import HttpSource

_SEARCHED_BYTES = 1024 * 1024

StatusCode = Annotated[int, Field(ge=100, le=599)]


@source_types.register("http_check")
class HttpCheck(HttpSource, title="HTTP check"):
    """Whether a web page or API answers as it should, how fast, and how long its certificate is good for.

    Metrics: latency (until the answer begins, on a fresh connection), status_code, certificate.days.
    """

    method: Literal["GET", "HEAD", "POST", "OPTIONS"] = Field("GET", description="HTTP method")
    expected_statuses: tuple[StatusCode, ...] = Field(
        (), description="Status codes that count as up; empty for any from 200 to 399"
    )
    keyword: str | None = Field(
        None, min_length=1, max_length=500, description="Text that must be in the first MiB of the answer"
    )
    slow_seconds: float | None = Field(None, gt=0, description="Degraded when the answer takes longer than this")
    certificate_warning_days: float = Field(
        14, ge=0, description="Degraded when the certificate runs out in fewer days than this"
    )

    async def read(self, resources: Resources) -> Reading:
        """Ask once. What is wrong with the answer is what the reading says; only a missing secret is an error."""
        # A kept connection would hide a slow or refused one, and a certificate that was renewed since.
        request = await self.request(self.method, SecretUse(resources.secrets), {"Connection": "close"})
        started = time.perf_counter()
        try:
            async with send(resources.session, request) as answer:
                latency = time.perf_counter() - started
                days = certificate_days(answer.certificates, datetime.now(UTC))
                problem = await self._problem(answer)
        except RequestFailedError as error:
            return _reading(Status.DOWN, str(error))
        if problem is not None:
            return _reading(Status.DOWN, problem, latency, answer.status, days)
        warnings = self._warnings(latency, days)
        return _reading(Status.DEGRADED if warnings else Status.UP, ". ".join(warnings), latency, answer.status, days)

    async def _problem(self, answer: Answer) -> str | None:
        expected = answer.status in self.expected_statuses if self.expected_statuses else 200 <= answer.status < 400
        if not expected:
            return f"Answered {answer.status_text}"
        if self.keyword is not None:
            body, complete = await answer.read(_SEARCHED_BYTES)
            if self.keyword not in answer.text(body):
                return f"The {'answer' if complete else 'first MiB of the answer'} does not contain “{self.keyword}”"
        return None

    def _warnings(self, latency: float, days: float | None) -> list[str]:
        warnings = []
        if self.slow_seconds is not None and latency > self.slow_seconds:
            warnings.append(f"The answer took longer than {self.slow_seconds:g} s")
        if days is not None and days < 0:
            warnings.append("The certificate has run out")
        elif days is not None and days < self.certificate_warning_days:
            warnings.append(f"The certificate runs out in {int(days)} days")
        return warnings


def _reading(
    status: Status,
    message: str,
    latency: float | None = None,
    status_code: int | None = None,
    days: float | None = None,
) -> Reading:
    return Reading(
        datetime.now(UTC),
        status,
        message,
        (
            Metric("latency", latency, "seconds"),
            Metric("status_code", status_code),
            Metric("certificate.days", days, "days"),
        ),
    )

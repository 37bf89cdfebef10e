"""The Prometheus source."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bot.domain.errors import HomelabError
from app.bot.domain.formatting.markdown import one_line, shorten
from app.bot.domain.readings.reading import MAX_ITEMS, Metric, MetricKind, Reading, Status
from app.bot.infrastructure.network.http_requests import Answer, send
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, source_types
from app.bot.infrastructure.sources.http_request import HttpSource
from app.bot.infrastructure.sources.prometheus import api as prometheus_api
from app.bot.infrastructure.threads import in_thread

_MEBIBYTES = 5
_AT_ONCE = 2
"""Queries under way at a time: neither the store nor this machine's memory is to be filled by a dashboard."""
_MESSAGE_CHARACTERS = 300
_PROBLEMS_SHOWN = 3

Name = Annotated[str, Field(min_length=1, max_length=100)]


class InstantQuery(BaseModel):
    """A question about now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Name of the metric and of the table, such as requests.rate")
    query: str = Field(min_length=1, max_length=4_000, description="PromQL, such as sum by (job) (rate(http[5m]))")
    unit: str = Field("", max_length=30, description="Unit, such as percent, bytes or seconds")
    scale: float = Field(1.0, description="Values are multiplied by this, such as 100 for a ratio to percent")
    kind: MetricKind = Field(
        MetricKind.GAUGE, description="gauge goes up and down; counter only grows, and charts show how fast"
    )
    labels: tuple[str, ...] | None = Field(
        None, max_length=20, description="Labels to keep, which must tell the series apart; empty list for none"
    )


class RangeQuery(BaseModel):
    """A question about the time until now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Name of the table")
    query: str = Field(min_length=1, max_length=4_000, description="PromQL")
    minutes: float = Field(60, gt=0, le=527_040, description="How far back")
    step_seconds: float | None = Field(None, ge=1, description="Seconds between points; 60 points without it")

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return self.step_seconds or max(1.0, self.minutes)


@source_types.register("prometheus")
class Prometheus(HttpSource, title="Prometheus"):
    """Answers to PromQL queries from Prometheus, VictoriaMetrics, Thanos, Mimir and what else speaks its API.

    Each query is a metric of its name, once for each series with its labels, and a table of its name with the labels
    and `value`. A query that gives nothing is a missing value. Range queries are tables of points: `time`, `value` and
    the labels. Degraded when one of several queries fails, or the store warns.
    """

    queries: tuple[InstantQuery, ...] = Field((), max_length=50, description="Questions about now, made metrics")
    ranges: tuple[RangeQuery, ...] = Field((), max_length=10, description="Questions about the past, made tables")
    max_series: int = Field(100, ge=1, le=MAX_ITEMS, description="Series kept of each query, the first ones")

    @model_validator(mode="after")
    def _check_names(self) -> Prometheus:
        names = [*(query.name for query in self.queries), *(query.name for query in self.ranges)]
        if not names:
            raise ValueError("queries: enter at least one")
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(f"queries: two are named “{doubled}”; names must differ")
        return self

    async def read(self, resources: Resources) -> Reading:
        """Ask all queries. Raises SourceFailedError when none is answered."""
        secrets = SecretUse(resources.secrets)
        gate = asyncio.Semaphore(_AT_ONCE)
        questions: tuple[InstantQuery | RangeQuery, ...] = (*self.queries, *self.ranges)

        async def ask(question: InstantQuery | RangeQuery) -> prometheus_api.Taken | HomelabError:
            async with gate:
                try:
                    return await self._ask(question, resources, secrets)
                except HomelabError as error:
                    return error

        answers = await asyncio.gather(*map(ask, questions))
        failures = [answer for answer in answers if isinstance(answer, HomelabError)]
        if len(failures) == len(questions):
            raise SourceFailedError(shorten(secrets.hide(str(failures[0])), _MESSAGE_CHARACTERS))
        return _reading(questions, answers, secrets)

    async def _ask(
        self, question: InstantQuery | RangeQuery, resources: Resources, secrets: SecretUse
    ) -> prometheus_api.Taken:
        base, _, parameters = self.url.partition("?")
        address = f"{base.rstrip('/')}/api/v1/{_question(question, parameters)}"
        request = await self.request("GET", secrets, {"Accept": "application/json"}, address=address)
        async with send(resources.session, request) as answer:
            content, complete = await answer.read(_MEBIBYTES * 1024 * 1024)
        if not complete:
            raise SourceFailedError(f"The answer is larger than {_MEBIBYTES} MiB")
        # Off the event loop: a matrix may have hundreds of thousands of points.
        return await in_thread(lambda: self._taken(question, answer, content, secrets), "prometheus")

    def _taken(
        self, question: InstantQuery | RangeQuery, answer: Answer, content: bytes, secrets: SecretUse
    ) -> prometheus_api.Taken:
        result = prometheus_api.parse(content, answer.status, answer.status_text)
        result = prometheus_api.Result(result.type, secrets.hide_within(result.data), result.warnings)
        if isinstance(question, RangeQuery):
            return prometheus_api.points(result, self.max_series)
        taken = prometheus_api.values(result, self.max_series, question.labels)
        return taken.scaled(question.scale)


def _question(question: InstantQuery | RangeQuery, parameters: str) -> str:
    if isinstance(question, InstantQuery):
        path, asked = "query", {"query": question.query}
    else:
        now = time.time()
        path = "query_range"
        asked = {
            "query": question.query,
            "start": f"{now - question.minutes * 60:.3f}",
            "end": f"{now:.3f}",
            "step": f"{question.step:g}",
        }
    # Percent-encoded, a reference to a secret within PromQL is none, and `${` in it stays what it is.
    return f"{path}?{parameters}{'&' if parameters else ''}{urlencode(asked)}"


def _reading(
    questions: tuple[InstantQuery | RangeQuery, ...],
    answers: list[prometheus_api.Taken | HomelabError],
    secrets: SecretUse,
) -> Reading:
    metrics: list[Metric] = []
    tables: dict[str, list[dict[str, Any]]] = {}
    problems: list[str] = []
    for question, answer in zip(questions, answers, strict=True):
        failed = isinstance(answer, HomelabError)
        taken = prometheus_api.Taken() if isinstance(answer, HomelabError) else answer
        problems.extend(f"{question.name}: {text}" for text in ([str(answer)] if failed else taken.problems))
        tables[question.name] = taken.rows[:MAX_ITEMS]
        if isinstance(question, InstantQuery):
            values = taken.values or [({}, None)]
            metrics.extend(
                Metric(question.name, value, question.unit, labels, question.kind) for labels, value in values
            )
    more = len(problems) - _PROBLEMS_SHOWN
    shown = [*problems[:_PROBLEMS_SHOWN], *([f"{more} more"] if more > 0 else [])]
    message = shorten(one_line(secrets.hide("; ".join(shown))), _MESSAGE_CHARACTERS)
    status = Status.DEGRADED if problems else Status.UP
    return Reading(datetime.now(UTC), status, message, tuple(metrics), tables)

"""The HTTP JSON source."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

from pydantic import Field

from app.bot.domain.formatting.markdown import shorten
from app.bot.domain.readings.reading import Reading, Status
from app.bot.infrastructure.network.http_requests import Answer, send
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import Resources, SourceFailedError, source_types
from app.bot.infrastructure.sources.http_request import HttpSource
from app.bot.infrastructure.sources.json_mapping import Extract, ItemMapping, MetricMapping, StatusMapping
from app.bot.infrastructure.threads import in_thread

_MEBIBYTES = 5
_BEGINNING_CHARACTERS = 60
_PROBLEMS_SHOWN = 3


@source_types.register("http_json")
class HttpJson(HttpSource, title="HTTP JSON"):
    """Numbers and tables from any HTTP API that answers in JSON.

    JMESPath expressions say where they are in the answer. What is not there shows as missing, never as 0.
    """

    method: Literal["GET", "POST", "PUT"] = Field("GET", description="HTTP method")
    body: dict[str, Any] | list[Any] | str | None = Field(
        None, description="What to send: JSON, or a text as it is; texts may hold ${secret:name}"
    )
    metrics: tuple[MetricMapping, ...] = Field((), max_length=500, description="The numbers to take")
    items: tuple[ItemMapping, ...] = Field((), max_length=20, description="The tables to take")
    status: StatusMapping | None = Field(None, description="Where the answer says how things are; up without it")

    async def read(self, resources: Resources) -> Reading:
        """Ask once. Raises SourceFailedError or RequestFailedError when there is no JSON, or a secret's error."""
        secrets = SecretUse(resources.secrets)
        body = None if self.body is None else await self._sent(secrets)
        defaults = {"Accept": "application/json"}
        if body is not None and not isinstance(self.body, str):
            defaults["Content-Type"] = "application/json"
        request = await self.request(self.method, secrets, defaults, body)
        async with send(resources.session, request) as answer:
            content = await _content(answer)
        # Off the event loop: parsing megabytes, and an expression over them, may take a while.
        return await in_thread(lambda: self._reading(content, secrets), "http-json")

    def _reading(self, content: bytes, secrets: SecretUse) -> Reading:
        # A server may send back what it was sent; hidden here, nothing made from the answer can hold a secret.
        document = secrets.hide_within(_parsed(content, secrets))
        extract = Extract()
        for metric in self.metrics:
            metric.take(document, extract)
        for table in self.items:
            table.take(document, extract)
        status, message = (Status.UP, "") if self.status is None else self.status.read(document)
        if extract.problems:
            more = len(extract.problems) - _PROBLEMS_SHOWN
            shown = [*extract.problems[:_PROBLEMS_SHOWN], *([f"{more} more"] if more > 0 else [])]
            message = "; ".join([message, *shown] if message else shown)
            status = max(status, Status.DEGRADED, key=lambda one: one.severity)
        return Reading(datetime.now(UTC), status, message, tuple(extract.metrics), extract.items)

    async def _sent(self, secrets: SecretUse) -> bytes:
        if isinstance(self.body, str):
            return (await secrets.fill(self.body)).encode()
        return json.dumps(await _filled(self.body, secrets)).encode()


async def _filled(value: Any, secrets: SecretUse) -> Any:
    if isinstance(value, str):
        return await secrets.fill(value)
    if isinstance(value, dict):
        return {key: await _filled(entry, secrets) for key, entry in value.items()}
    if isinstance(value, list):
        return [await _filled(entry, secrets) for entry in value]
    return value


async def _content(answer: Answer) -> bytes:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise SourceFailedError(f"Answered {answer.status_text}")
    content, complete = await answer.read(_MEBIBYTES * 1024 * 1024)
    if not complete:
        raise SourceFailedError(f"The answer is larger than {_MEBIBYTES} MiB")
    return content


def _parsed(content: bytes, secrets: SecretUse) -> Any:
    try:
        return json.loads(content)
    except RecursionError:
        raise SourceFailedError("Not JSON that can be read: it is nested too deeply") from None
    except ValueError:
        text = secrets.hide(" ".join(content[:1_000].decode(errors="replace").split()))
        begins = f"it begins with “{shorten(text, _BEGINNING_CHARACTERS)}”" if text else "the answer is empty"
        raise SourceFailedError(f"Not JSON: {begins}") from None

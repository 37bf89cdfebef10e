"""/push/…: where programs and devices say that they live, for data sources of the type push.

The address is the key: it holds a token of 256 random bits, of which only the hash is stored. There is no login, and
nothing is told about data sources.
"""

from __future__ import annotations

import hmac
import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import PlainTextResponse

from app.shared.database.models import DataSourceRow, PushRow
from app.shared.kit.text import postgres_safe_text
from app.web.context import context_of
from app.web.security.tokens import token_hash

router = APIRouter(include_in_schema=False)

PREFIX = "/push/"
TYPE = "push"
"""The data source type that hears the calls."""
_TOKEN_PREFIX = "hlp_"  # noqa: S105  # makes a leaked token easy to find
_LONGEST_TOKEN = 100
_MESSAGE_CHARACTERS = 500
_NAME_CHARACTERS = 100
_MAX_METRICS = 50
_STATUSES = {
    **dict.fromkeys(("", "up", "ok", "success", "0"), "up"),
    **dict.fromkeys(("degraded", "warning", "warn"), "degraded"),
    **dict.fromkeys(("down", "fail", "failed", "error", "critical"), "down"),
}
_RESERVED = frozenset({"age", "calls"})
"""Metrics that the bot makes itself."""


class CallNotUnderstoodError(ValueError):
    """A call says something that cannot be; the text names the parameter and the remedy."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a call says."""

    status: str
    message: str
    metrics: Mapping[str, float]


async def make_address(database: AsyncSession, source: DataSourceRow) -> str:
    """Return a new path to call; one that was there before is good for nothing from now on. The caller commits."""
    token = _TOKEN_PREFIX + secrets.token_urlsafe(32)
    values = {"token_hash": token_hash(token), "created_at": func.now(), "called_at": None, "calls": 0}
    fresh: dict[str, Any] = {**values, "status": "up", "message": "", "metrics": {}}
    statement = insert(PushRow).values(data_source_id=source.id, **fresh)
    await database.execute(statement.on_conflict_do_update(index_elements=["data_source_id"], set_=fresh))
    return PREFIX + token


@router.api_route("/push/{token}", methods=["GET", "POST"])
async def push(token: str, request: Request) -> PlainTextResponse:
    """Read a call: ?status=up|degraded|down&message=…&value=…, the same as a form, or JSON with `metrics` too."""
    context, address = context_of(request), request.client.host if request.client else ""
    limits = context.push_limits
    hashed = token_hash(token[:_LONGEST_TOKEN])
    async with context.sessions() as database:
        row = await database.scalar(
            select(PushRow).join(DataSourceRow).where(PushRow.token_hash == hashed, DataSourceRow.type == TYPE)
        )
        if row is None or not hmac.compare_digest(row.token_hash, hashed):
            if (wait := limits.guesses.wait_seconds(address)) > 0:
                return _later(wait)
            limits.guesses.called(address)
            return PlainTextResponse("There is no such address. Make a new one on the data source's page.\n", 404)
        if (wait := limits.calls.wait_seconds(hashed)) > 0:
            return _later(wait)
        limits.calls.called(hashed)
        try:
            call = _understood(await _said(request))
        except CallNotUnderstoodError as error:
            return PlainTextResponse(f"{error}\n", 422)
        await database.execute(
            update(PushRow)
            .where(PushRow.token_hash == hashed)
            .values(
                called_at=func.now(),
                calls=PushRow.calls + 1,
                status=call.status,
                message=call.message,
                metrics=dict(call.metrics),
            )
        )
        await database.commit()
    return PlainTextResponse("ok\n")


def _later(seconds: float) -> PlainTextResponse:
    headers = {"Retry-After": str(math.ceil(seconds))}
    return PlainTextResponse("That is too often. Call again later.\n", 429, headers)


async def _said(request: Request) -> dict[str, Any]:
    """Return the parameters of the address, and those of the body."""
    said: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if request.method != "POST":
        return said
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except (ValueError, RecursionError):
            raise CallNotUnderstoodError("The body is not JSON") from None
        if not isinstance(body, dict):
            raise CallNotUnderstoodError('The body must be a JSON object, such as {"status": "up"}')
        return said | body
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_files=0, max_fields=100) as form:
            return said | {name: value for name, value in form.items() if isinstance(value, str)}
    return said


def _understood(said: Mapping[str, Any]) -> Call:
    status = _STATUSES.get(str(said.get("status") or "").strip().casefold())
    if status is None:
        raise CallNotUnderstoodError("status: must be up, degraded or down")
    message = said.get("message") or said.get("msg") or ""
    metrics = said.get("metrics") or {}
    if not isinstance(metrics, dict) or len(metrics) > _MAX_METRICS:
        raise CallNotUnderstoodError(f"metrics: must be at most {_MAX_METRICS} numbers by name")
    named = {str(name): value for name, value in metrics.items()}
    named |= {name: said[name] for name in ("value", "ping") if said.get(name) not in (None, "")}
    return Call(status, _text(message), {name: _number(name, value) for name, value in named.items()})


def _text(message: object) -> str:
    line = " ".join(postgres_safe_text(str(message), nul="").split())
    return line[:_MESSAGE_CHARACTERS]


def _number(name: str, value: object) -> float:
    if not 0 < len(name) <= _NAME_CHARACTERS or not name.isprintable() or name in _RESERVED:
        raise CallNotUnderstoodError("metrics: needs names of one line, other than age and calls")
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise CallNotUnderstoodError(f"{name}: must be a number, such as 12.5")
    return number

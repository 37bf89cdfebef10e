"""/metrics for Prometheus: what is defined, how the sources are, how old the bot's heartbeat is, and the requests."""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.definitions.kinds import KINDS
from app.shared.database.models import SourceStateRow
from app.web.context import context_of
from app.web.heartbeat import heartbeat_age

router = APIRouter(include_in_schema=False)
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")


class WebMetrics:
    """The counters of this process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "homelab_web_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._definitions = Gauge("homelab_definitions", "Rows by kind", ["kind"], registry=self.registry)
        self._sources = Gauge("homelab_source_states", "Data sources by status", ["status"], registry=self.registry)
        self._heartbeat = Gauge(
            "homelab_bot_heartbeat_age_seconds",
            "Seconds since a bot process was last seen; NaN when there was never one",
            registry=self.registry,
        )

    async def render(self, database: AsyncSession) -> bytes:
        """All metrics in Prometheus' text format, freshly counted."""
        for kind in KINDS.values():
            if kind.shape is not None:
                count = await database.scalar(select(func.count()).select_from(kind.row))
                self._definitions.labels(kind.name).set(count or 0)
        self._sources.clear()
        for status, count in await database.execute(
            select(SourceStateRow.status, func.count()).group_by(SourceStateRow.status)
        ):
            self._sources.labels(status).set(count)
        age = await heartbeat_age(database)
        self._heartbeat.set(float("nan") if age is None else age)
        return generate_latest(self.registry)


class CountRequests:
    """Counts every answer by method, route (a pattern, so that there are few of them) and status."""

    def __init__(self, app: ASGIApp, *, metrics: WebMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._metrics.requests.labels(method, _route(scope), str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counting)


_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def _route(scope: Scope) -> str:
    """Return the pattern of the route; for mounted applications where they are mounted, for all else “none”."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    if path is not None:
        return str(scope.get("root_path", "")) + str(path)
    for prefix in ("/admin/static", "/static", "/admin", "/api/v1"):
        if scope["path"].startswith(prefix):
            return prefix
    return "none"


@router.get("/metrics")
async def show_metrics(request: Request) -> Response:
    """For this machine itself, or with an API token."""
    if getattr(request.state, "actor", None) is None and not _is_local(request):
        return PlainTextResponse("Send an API token: Authorization: Bearer hl_…\n", 401, {"WWW-Authenticate": "Bearer"})
    metrics: WebMetrics = request.state.metrics
    async with context_of(request).sessions() as database:
        return Response(await metrics.render(database), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_local(request: Request) -> bool:
    """Whether the request comes from this machine, and not from a proxy on it that speaks for someone else."""
    if request.client is None or any(name in request.headers for name in _PROXY_HEADERS):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False

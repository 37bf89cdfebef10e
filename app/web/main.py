"""The web admin's composition root: every part is made here, once, and given what it needs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app.bot.domain.components.template_filters import FILTERS, finalize
from app.bot.domain.components.types import component_types
from app.bot.infrastructure.repositories.postgres import Pool
from app.definitions.errors import RecordError, RecordNotFoundError, RoleTooLowError
from app.definitions.passwords import Passwords
from app.definitions.store import record_store
from app.definitions.validation import ConfigModels
from app.settings import Settings
from app.shared.database.core.engine import create_engine
from app.shared.database.core.pool import create_pool
from app.shared.database.core.urls import DatabaseUrls
from app.shared.private_files import read_or_create
from app.shared.secrets import SecretBox, open_secret_box
from app.shared.templating import SandboxedTemplates
from app.web import health, metrics, pushes
from app.web.action_runs import ActionRuns
from app.web.admin.site import TablePages
from app.web.api.application import create_api
from app.web.api.problems import problem
from app.web.context import WebContext
from app.web.maintenance import tend
from app.web.pages import access, account, dashboards, forms, home, revisions
from app.web.pages import actions as action_pages
from app.web.pages import component_types as component_type_pages
from app.web.pages import sources as source_pages
from app.web.pages.render import Pages
from app.web.preview.builder import PreviewBuilder
from app.web.preview.page import add_filters
from app.web.security.call_limit import PushLimits
from app.web.security.database_errors import add_database_handlers
from app.web.security.first_run import FirstRun
from app.web.security.middleware import SecurityMiddleware
from app.web.security.rate_limit import LoginLimiter
from app.web.security.refusals import API_PREFIX
from app.web.security.sessions import SessionCookies

SIGNING_KEY_FILE = "session.key"
_STATIC = Path(__file__).parent / "static"


class WebStartError(Exception):
    """The web admin cannot start; the text is one line that says what to do."""


def create_app(
    engine: AsyncEngine,
    previews: Pool,
    secret_box: SecretBox,
    *,
    signing_key: str,
    secure_cookies: bool = False,
    config_models: ConfigModels | None = None,
    first_run: FirstRun | None = None,
    passwords: Passwords | None = None,
    limiter: LoginLimiter | None = None,
) -> FastAPI:
    """Return the web admin on one database, with its owner's `engine`; `previews` is what previews read through.

    `signing_key` signs sessions. `config_models` are pydantic models of configs by kind (such as data-sources) and
    type: they check what the stored JSON Schemas cannot say; the component types' are always used. `first_run` is what
    `first_run_link` issues the token of.
    """
    # starlette-admin's debug lines hold whole forms, with passwords and secrets.
    logging.getLogger("starlette_admin").setLevel(logging.WARNING)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    passwords = passwords or Passwords()
    cookies = SessionCookies(signing_key)
    store = record_store(config_models or {}, secret_box, passwords)
    preview = PreviewBuilder(component_types, SandboxedTemplates(FILTERS, finalize), previews)
    context = WebContext(
        engine,
        sessions,
        store,
        preview,
        ActionRuns(preview, secret_box),
        passwords,
        cookies,
        limiter or LoginLimiter(),
        first_run or FirstRun(),
        PushLimits(),
    )
    app = FastAPI(title="HomeLab", openapi_url=None, docs_url=None, redoc_url=None)
    tables = TablePages(sessions, store, signing_key)
    add_filters(tables.templates.env)
    pages = Pages(tables.templates, signing_key)
    typed_pages = (component_type_pages, source_pages, dashboards, action_pages)
    for module in (access, account, *typed_pages, forms, health, home, metrics, pushes, revisions):
        app.include_router(module.router)
    app.add_route("/favicon.ico", lambda request: RedirectResponse("/static/icon.svg", 308), include_in_schema=False)
    app.mount("/api/v1", create_api(version("homelab-discord-bot")))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    tables.mount_to(app)
    add_database_handlers(tables.app)
    _add_error_pages(app, pages)
    counters = metrics.WebMetrics()
    # The last one added is the outermost: state, then counting, then security, then the pages.
    app.add_middleware(SecurityMiddleware, sessions=sessions, cookies=cookies, secure=secure_cookies)
    app.add_middleware(metrics.CountRequests, metrics=counters)
    app.add_middleware(_Provide, values={"web": context, "pages": pages, "metrics": counters})
    app.state.web = context
    app.state.ROUTE_NAME = tables.route_name  # where the frame of starlette-admin looks for its addresses
    return app


async def first_run_link(app: FastAPI, base_url: str) -> str | None:
    """Return the address where the first user is made, with a new one-time token; None when there is a user already."""
    context: WebContext = app.state.web
    async with context.sessions() as database:
        if await access.user_count(database):
            return None
    return f"{base_url}/setup?token={context.first_run.issue()}"


async def serve(
    settings: Settings,
    urls: DatabaseUrls,
    *,
    config_models: ConfigModels | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Run the web admin until SIGINT or SIGTERM. `announce` prints a line to the terminal.

    Raises WebStartError when it cannot listen, SecretError when the key for secrets cannot be used.
    """
    announce = announce or _print
    with listening(settings.web_host, settings.web_port) as listener:
        key = settings.secret_key.get_secret_value() if settings.secret_key is not None else None
        app_engine = create_engine(urls.owner)
        # The bot's role sees no users and no tokens, and of what it may write nothing is written here.
        previews = await create_pool(
            urls.bot, application_name="homelab web previews", min_size=0, max_size=4, read_only=True
        )
        app = create_app(
            app_engine,
            previews,
            open_secret_box(settings.data_dir, key),
            signing_key=open_signing_key(settings.data_dir),
            secure_cookies=settings.web_url.startswith("https://"),
            config_models=config_models,
        )
        tending = asyncio.create_task(tend(app.state.web.sessions))
        try:
            link = await first_run_link(app, settings.web_url)
            announce(f"Web admin  {settings.web_url}" if link is None else f"Web admin  make the first user: {link}")
            config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off")
            await _Server(config).serve(sockets=[listener])
        finally:
            tending.cancel()
            await asyncio.wait([tending])
            await app.state.web.preview.close()
            previews.terminate()
            await app_engine.dispose()


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket bound to this address, before anything else is done. Raises WebStartError."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(2048)
        except OSError as error:
            raise WebStartError(
                f"The web admin cannot listen on {host}, port {port} ({error.strerror}). Stop what uses it, or set "
                "HOMELAB_WEB_PORT or HOMELAB_WEB_HOST."
            ) from error
        yield listener


def open_signing_key(data_dir: Path) -> str:
    """Return the key that signs sessions, made at first. Raises WebStartError."""
    import secrets

    file = data_dir / SIGNING_KEY_FILE
    try:
        key = read_or_create(file, lambda: secrets.token_urlsafe(48))
    except (OSError, UnicodeDecodeError) as error:
        raise WebStartError(
            f"Cannot keep the key for sessions in {file}: {getattr(error, 'strerror', None) or error}. Give this user "
            "access to the file, or choose another folder with HOMELAB_DATA_DIR."
        ) from error
    if len(key) < 32:
        raise WebStartError(f"The key for sessions in {file} is damaged. Delete the file to have a new one made.")
    return key


def _print(line: str) -> None:
    sys.stdout.write(f"\n{line}\n\n")
    sys.stdout.flush()


class _Server(uvicorn.Server):
    """Stops on SIGINT and SIGTERM and returns, where uvicorn's own would end the process before anything is closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


class _Provide:
    """Puts the application's parts into the state of every request, mounted applications included."""

    def __init__(self, app: ASGIApp, *, values: dict[str, Any]) -> None:
        self._app = app
        self._values = values

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {}).update(self._values)
        await self._app(scope, receive, send)


def _add_error_pages(app: FastAPI, pages: Pages) -> None:
    def page(request: Request, status: int, detail: str) -> Response:
        if request.url.path.startswith(API_PREFIX):  # outside of the mounted API: an address that no route can have
            return problem(status, detail, detail)
        return pages.render(request, "pages/error.html", {"status": status, "detail": detail, "title": detail}, status)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return page(request, error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> Response:
        in_path = any(found["loc"][:1] == ("path",) for found in error.errors())
        return page(request, 404, "Not Found") if in_path else page(request, 422, "This form is not complete")

    @app.exception_handler(RecordError)
    async def record_error(request: Request, error: RecordError) -> Response:
        statuses = {RoleTooLowError: 403, RecordNotFoundError: 404}
        return page(request, statuses.get(type(error), 422), str(error))

"""What every request goes through: who is it, did the form come from us, and the headers of the answer."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.security.body import BodyTooLargeError, read_body, replayed
from app.web.security.database_errors import DATABASE_ERRORS, explained
from app.web.security.headers import security_headers
from app.web.security.refusals import API_PREFIX, refusal
from app.web.security.sessions import SESSION_COOKIE, SESSION_SECONDS, Session, SessionCookies, actor_of
from app.web.security.tokens import actor_of_token

FORM_TOKEN_COOKIE = "starlette_admin_csrftoken"  # noqa: S105  # a name
"""The name under which starlette-admin's scripts look for the form token."""
FORM_TOKEN_FIELD = "csrftoken"  # noqa: S105  # a name
FORM_TOKEN_HEADER = "x-csrftoken"  # noqa: S105  # a name
_STATIC = ("/static/", "/admin/static/")
_CALLS = "/push/"
"""Machines call here, with an address that is the key; see app.web.pushes."""
_MACHINES = (_CALLS, "/healthz", "/metrics", "/favicon.ico")
_WITHOUT_LOGIN = ("/login", "/setup", *_MACHINES)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SecurityMiddleware:
    """Finds the actor, refuses forged forms, sends visitors to the login, and adds the security headers.

    Handlers find `actor`, `web_session`, `csrf_token` and `csp_nonce` in `request.state`; one that logs a user in or
    out calls `start_session`.
    """

    def __init__(
        self, app: ASGIApp, *, sessions: async_sessionmaker[AsyncSession], cookies: SessionCookies, secure: bool = False
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._cookies = cookies
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["csp_nonce"] = secrets.token_urlsafe(16)
        request = Request(scope, receive)
        path = scope["path"]
        started: list[bool] = []
        answering = self._answering(request, send, started)
        if path.startswith(_STATIC):
            await self._app(scope, receive, answering)
            return
        try:
            await self._serve(request, path, receive, answering)
        except DATABASE_ERRORS as error:
            answer = explained(request, error)
            if started or answer is None:
                raise
            await answer(scope, receive, answering)

    async def _serve(self, request: Request, path: str, receive: Receive, send: Send) -> None:
        state = request.state
        known = self._cookies.read(request.cookies.get(SESSION_COOKIE))
        state.web_session = known or self._cookies.new()
        state.web_session_is_new = known is None and not path.startswith((API_PREFIX, *_MACHINES))
        state.csrf_token = self._cookies.form_token(state.web_session)
        bearer = _bearer(request)
        async with self._sessions() as database:
            if bearer is not None:
                state.actor = await actor_of_token(database, bearer)
            else:
                state.actor = await actor_of(database, known)
        if request.method not in _SAFE_METHODS:
            try:
                body = await read_body(request)
            except BodyTooLargeError as error:
                await refusal(path, 413, "Too much", str(error))(request.scope, receive, send)
                return
            copy = Request(request.scope, replayed(body, receive))
            receive = replayed(body, receive)
            if bearer is None and not path.startswith(_CALLS) and not await self._form_is_ours(copy, state.web_session):
                detail = "The form is out of date or came from another page. Reload the page and try again."
                await refusal(path, 403, "Refused", detail)(request.scope, receive, send)
                return
        if state.actor is None and not path.startswith((*_WITHOUT_LOGIN, API_PREFIX)):
            await _to_login(request)(request.scope, receive, send)
            return
        await self._app(request.scope, receive, send)

    async def _form_is_ours(self, request: Request, session: Session) -> bool:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        token = request.headers.get(FORM_TOKEN_HEADER)
        if token is None and request.headers.get("content-type", "").startswith(
            ("application/x-www-form-urlencoded", "multipart/form-data")
        ):
            async with request.form() as form:
                token = str(form.get(FORM_TOKEN_FIELD, ""))
        return token is not None and self._cookies.form_token_matches(session, token)

    def _answering(self, request: Request, send: Send, started: list[bool]) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(True)
                self._complete(request, MutableHeaders(scope=message))
            await send(message)

        return answer

    def _complete(self, request: Request, headers: MutableHeaders) -> None:
        secure = self._secure or request.url.scheme == "https"
        cacheable = request.scope["path"].startswith(_STATIC)
        for name, value in security_headers(request.state.csp_nonce, secure=secure, cacheable=cacheable):
            headers[name] = value
        session: Session | None = getattr(request.state, "web_session", None)
        if session is None or not request.state.web_session_is_new:
            return
        cookie = Response()
        cookie.set_cookie(
            SESSION_COOKIE,
            self._cookies.write(session),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
        token = self._cookies.form_token(session)
        cookie.set_cookie(FORM_TOKEN_COOKIE, token, max_age=SESSION_SECONDS, samesite="lax", secure=secure)
        for name, value in cookie.headers.items():
            if name == "set-cookie":
                headers.append(name, value)


def start_session(request: Request, session: Session) -> None:
    """Answer this request with a new session: after a login, a log-out or a change of the password."""
    request.state.web_session = session
    request.state.web_session_is_new = True


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _to_login(request: Request) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"/login?next={quote(wanted)}" if request.method == "GET" and wanted != "/" else "/login"
    return RedirectResponse(target, status_code=303)

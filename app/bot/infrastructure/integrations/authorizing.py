"""Adds a type's log-in to its calls, and renews it when the server says that it has run out."""

from __future__ import annotations

import base64
import time
from dataclasses import replace

from yarl import URL

from app.bot.domain.components.placeholders import fill_placeholders
from app.bot.domain.errors import HomelabError
from app.bot.domain.integrations.authentication import (
    Authentication,
    BasicAuthentication,
    BearerAuthentication,
    HeaderAuthentication,
    JsonRpcAuthentication,
    LoginAuthentication,
    QueryAuthentication,
)
from app.bot.infrastructure.integrations.calls import Call, Values, make_call
from app.bot.infrastructure.integrations.logins import LoginRefusedError, Logins, Session, login_key
from app.bot.infrastructure.integrations.remote_calls import RemoteCalls
from app.bot.infrastructure.integrations.transport import Received, Transport
from app.bot.infrastructure.secrets import SecretUse
from app.bot.infrastructure.sources.base import SourceFailedError
from app.shared.jmespaths import PathError, search

_REFUSED = (400, 401, 403)
_SHORTEST_HIDDEN = 6
"""Shorter marks of a session are no secrets, and would be found in many a word."""


class Authorizing:
    """Sends calls with the log-in of one source."""

    def __init__(
        self,
        authentication: Authentication,
        base: URL,
        values: Values,
        *,
        transport: Transport,
        logins: Logins,
        secrets: SecretUse,
    ) -> None:
        self._authentication = authentication
        self._base = base
        self._values = values
        self._transport = transport
        self._logins = logins
        self._secrets = secrets
        self._remote = (
            RemoteCalls(authentication, base, values, transport=transport, logins=logins)
            if isinstance(authentication, JsonRpcAuthentication)
            else None
        )

    async def close(self) -> None:
        """End the WebSocket, where there is one."""
        if self._remote is not None:
            await self._remote.close()

    async def send(self, call: Call) -> Received:
        """Return the answer to a call, logged in; once more with a new log-in where the old one has run out.

        Raises LoginRefusedError, RequestFailedError or SourceFailedError.
        """
        authentication = self._authentication
        if self._remote is not None:
            return await self._remote.send(call)
        if not isinstance(authentication, LoginAuthentication):
            return await self._transport.send(self._with_credentials(call, authentication))
        if authentication.basic is not None:
            call = self._with_credentials(call, authentication.basic)
        session = await self._session(authentication, None)
        received = await self._transport.send(_with_session(call, session))
        if received.status in authentication.expired_statuses:
            session = await self._session(authentication, session)
            received = await self._transport.send(_with_session(call, session))
        return received

    def _with_credentials(self, call: Call, authentication: Authentication) -> Call:
        match authentication:
            case BasicAuthentication(username=username, password=password):
                user = self._filled(username)
                return self._with_basic(call, user, self._filled(password)) if user else call
            case BearerAuthentication(token=token):
                text = self._filled(token)
                return _with_header(call, "Authorization", f"Bearer {text}") if text else call
            case HeaderAuthentication(name=name, value=value):
                text = self._filled(value)
                return _with_header(call, name, text) if text else call
            case QueryAuthentication(name=name, value=value):
                text = self._filled(value)
                return call.with_query(name, text) if text else call
        if self._base.user is not None:
            return self._with_basic(call, self._base.user, self._base.password or "")
        return call

    def _with_basic(self, call: Call, user: str, password: str) -> Call:
        encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._secrets.also_hide(encoded)
        return _with_header(call, "Authorization", f"Basic {encoded}")

    async def _session(self, authentication: LoginAuthentication, expired: Session | None) -> Session:
        call = make_call(authentication.request, self._base, {}, self._values)
        if authentication.basic is not None:
            call = self._with_credentials(call, authentication.basic)
        key = login_key(str(self._base), call.method, str(call.url), list(call.headers.items()), repr(call.body))
        session = await self._logins.get(key, lambda: self._log_in(authentication, call), expired)
        for text in session.hidden:
            self._secrets.also_hide(text)
        return session

    async def _log_in(self, authentication: LoginAuthentication, call: Call) -> Session:
        try:
            received = await self._transport.send(call)
        except HomelabError as error:
            raise SourceFailedError(f"The log-in failed: {error}") from None
        if received.status in _REFUSED and received.status not in authentication.request.statuses:
            raise LoginRefusedError(f"The log-in was refused ({received.status_text}). Check the credentials")
        if not received.accepted(authentication.request.statuses):
            raise SourceFailedError(f"The log-in failed: answered {received.status_text}")
        refused = authentication.refused_text and authentication.refused_text in received.text
        if refused or authentication.expect_text not in received.text:
            raise LoginRefusedError("The log-in was refused. Check the credentials")
        return await self._opened(authentication, received)

    async def _opened(self, authentication: LoginAuthentication, received: Received) -> Session:
        headers: dict[str, str] = {}
        query: dict[str, str] = {}
        token = ""
        if authentication.token is not None:
            token = await self._token(authentication.token, received)
            if authentication.header is not None:
                headers[authentication.header.name] = _carried(authentication.header.value, token)
            if authentication.query is not None:
                query[authentication.query.name] = _carried(authentication.query.value, token)
        for source, target in authentication.copy_headers.items():
            if source in received.headers:
                headers[target] = received.headers[source]
        if authentication.cookies and received.cookies:
            headers["Cookie"] = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in received.cookies.items())
        if not headers and not query:
            raise SourceFailedError("The log-in gave no token and no cookie. Is this the right address and version?")
        lasts = authentication.valid_seconds
        cookies = (morsel.coded_value for morsel in received.cookies.values()) if authentication.cookies else ()
        given = dict.fromkeys((*headers.values(), *query.values(), token, *cookies))
        hidden = tuple(text for text in given if len(text) >= _SHORTEST_HIDDEN)
        return Session(headers, query, hidden, time.monotonic() + lasts if lasts else float("inf"))

    async def _token(self, path: str, received: Received) -> str:
        try:
            token = search(path, await self._transport.read(received, "json"))
        except PathError as error:
            raise SourceFailedError(f"The log-in gave no token: {error}") from None
        if not isinstance(token, (str, int)) or isinstance(token, bool) or token == "":
            raise LoginRefusedError("The log-in gave no token. Check the credentials")
        return str(token)

    def _filled(self, template: str) -> str:
        text = fill_placeholders(template, self._values)
        return "" if text is None else str(text)


def _with_session(call: Call, session: Session) -> Call:
    headers = call.headers.copy()
    headers.update(session.headers)
    return replace(call, headers=headers, url=call.url.update_query(session.query) if session.query else call.url)


def _with_header(call: Call, name: str, value: str) -> Call:
    headers = call.headers.copy()
    headers[name] = value
    return replace(call, headers=headers)


def _carried(template: str, token: str) -> str:
    return str(fill_placeholders(template, {"token": token}))

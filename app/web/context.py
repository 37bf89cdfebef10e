"""What the handlers of the web admin work with, put together once in main.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.definitions.actors import WebActor
from app.definitions.passwords import Passwords
from app.definitions.store import RecordStore
from app.web.action_runs import ActionRuns
from app.web.preview.builder import PreviewBuilder
from app.web.security.call_limit import PushLimits
from app.web.security.first_run import FirstRun
from app.web.security.rate_limit import LoginLimiter
from app.web.security.sessions import SessionCookies


@dataclass(frozen=True, slots=True)
class WebContext:
    """The parts that all pages share."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    store: RecordStore
    preview: PreviewBuilder
    action_runs: ActionRuns
    passwords: Passwords
    cookies: SessionCookies
    limiter: LoginLimiter
    first_run: FirstRun
    push_limits: PushLimits


def context_of(request: Request) -> WebContext:
    """Return the context of the application that serves this request."""
    context: WebContext = request.state.web
    return context


async def database_of(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield a database session for one request; what the handler does not commit is rolled back."""
    async with context_of(request).sessions() as database:
        yield database


def actor_of_request(request: Request) -> WebActor:
    """Return the user; the middleware lets no one else through to pages."""
    actor: WebActor = request.state.actor
    return actor

"""The web admin on a real database, spoken to without a network."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from fastapi import FastAPI

from app.bot.domain.components.types import component_types
from app.definitions.passwords import Passwords
from app.shared.database.core.engine import create_engine
from app.shared.database.core.pool import create_pool
from app.shared.secrets import SecretBox
from app.web.main import create_app
from app.web.security.first_run import FirstRun
from app.web.security.rate_limit import LoginLimiter
from app.web.security.sessions import SESSION_COOKIE, Session, SessionCookies
from tests.support import factories
from tests.support.database import Database
from tests.web.browser import BASE, PASSWORD, TOKEN_COOKIE, Browser

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
STATIC_SCHEMA = {
    "type": "object",
    "properties": {
        "values": {"type": "object", "additionalProperties": {"type": "number"}},
        "password": {"type": "string"},
        "retries": {"type": "integer", "minimum": 0, "maximum": 5},
    },
    "required": ["values"],
    "additionalProperties": False,
}


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret_box() -> SecretBox:
    return SecretBox(Fernet.generate_key().decode())


@pytest.fixture
def first_run() -> FirstRun:
    return FirstRun()


@pytest.fixture
async def app(database: Database, secret_box: SecretBox, first_run: FirstRun, clock: Clock) -> AsyncIterator[FastAPI]:
    engine = create_engine(database.owner_url, pool_size=3)
    previews = await create_pool(database.bot_url, min_size=0, max_size=2, read_only=True)
    app = create_app(
        engine,
        previews,
        secret_box,
        signing_key="k" * 48,
        first_run=first_run,
        passwords=Passwords(QUICK),
        limiter=LoginLimiter(clock),
    )
    yield app
    await app.state.web.preview.close()
    previews.terminate()
    await engine.dispose()


@pytest.fixture
async def open_browser(app: FastAPI) -> AsyncIterator[Callable[..., Browser]]:
    """Opens browsers, each with cookies and an address of its own."""
    opened: list[Browser] = []

    def open_one(address: str = "127.0.0.1") -> Browser:
        transport = httpx.ASGITransport(app=app, client=(address, 50_000))
        opened.append(Browser(httpx.AsyncClient(transport=transport, base_url=BASE)))
        return opened[-1]

    yield open_one
    for browser in opened:
        await browser.http.aclose()


@pytest.fixture
def visitor(open_browser: Callable[..., Browser]) -> Browser:
    """Someone who did not log in."""
    return open_browser()


@pytest.fixture
def log_in(
    app: FastAPI, open_browser: Callable[..., Browser], owner: asyncpg.Connection
) -> Callable[[str], Awaitable[Browser]]:
    """A new user with this role, with the cookies of a login (test_login.py does it by the form)."""

    async def log_in_as(role: str) -> Browser:
        name = f"{role}{factories.number()}"
        user = await factories.user(owner, username=name, role=role, password_hash=QUICK.hash(PASSWORD))
        cookies: SessionCookies = app.state.web.cookies
        session = Session(f"session of {name}", user["id"])
        browser = open_browser()
        browser.user_id = user["id"]
        browser.http.cookies.set(SESSION_COOKIE, cookies.write(session))
        browser.http.cookies.set(TOKEN_COOKIE, cookies.form_token(session))
        return browser

    return log_in_as


@pytest.fixture
async def admin(log_in: Callable[[str], Awaitable[Browser]]) -> Browser:
    return await log_in("admin")


@pytest.fixture
async def editor(log_in: Callable[[str], Awaitable[Browser]]) -> Browser:
    return await log_in("editor")


@pytest.fixture
async def viewer(log_in: Callable[[str], Awaitable[Browser]]) -> Browser:
    return await log_in("viewer")


@functools.cache
def _builtin_component_types() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, name.capitalize(), model.model_json_schema()) for name, model in component_types.items()]


@pytest.fixture
async def types(owner: asyncpg.Connection) -> None:
    """The builtin component types, and one type of everything else."""
    await owner.executemany(
        "INSERT INTO component_types (name, title, config_schema) VALUES ($1, $2, $3)", _builtin_component_types()
    )
    await factories.data_source_type(owner, name="static", title="Static", config_schema=STATIC_SCHEMA)
    plain = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}
    await factories.service_type(owner, name="collector", config_schema=plain)
    await factories.command_type(owner, name="status", config_schema=plain)
    await factories.action_type(owner, name="refresh", config_schema=plain)

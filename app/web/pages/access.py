"""Set-up of the first user, login and log-out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.definitions import audit
from app.definitions.actors import WebActor
from app.definitions.errors import InvalidRecordError
from app.definitions.kinds.users import USERS
from app.definitions.roles import Role
from app.shared.database.models import UserRow
from app.web.context import context_of, database_of
from app.web.pages.render import pages_of
from app.web.security.middleware import start_session

router = APIRouter(include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
Text = Annotated[str, Form(max_length=1_000)]
_SETUP_LOCK = 0x484C5345
"""An advisory lock (“HLSE”): of two set-ups at the same moment one is first."""


async def user_count(database: AsyncSession) -> int:
    """How many users there are."""
    return await database.scalar(select(func.count()).select_from(UserRow)) or 0


@router.get("/setup")
async def show_setup(request: Request, database: Database, token: str = "") -> Response:
    """Return the form for the first user, for anyone who has the link from the terminal."""
    if await user_count(database):
        return RedirectResponse("/login", 303)
    if not context_of(request).first_run.accepts(token):
        return pages_of(request).render(request, "pages/setup.html", {"refused": True}, 403)
    return pages_of(request).render(request, "pages/setup.html", {"token": token})


@router.post("/setup")
async def set_up(
    *,
    request: Request,
    database: Database,
    token: Text = "",
    username: Text = "",
    password: Text = "",
    repeated: Text = "",
) -> Response:
    """Make the first user, once, and log in."""
    context = context_of(request)
    await database.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETUP_LOCK})
    if await user_count(database):
        return RedirectResponse("/login", 303)
    if not context.first_run.accepts(token):
        return pages_of(request).render(request, "pages/setup.html", {"refused": True}, 403)
    errors = {"repeated": "is not the same as the password"} if password != repeated else {}
    founder = WebActor("web", 0, username.strip().lower()[:64] or "setup", Role.ADMIN)
    values = {"username": username, "password": password, "role": "admin", "enabled": True}
    if not errors:
        try:
            user = await context.store.create(database, USERS, values, founder)
        except InvalidRecordError as error:
            errors = {found.field: found.message for found in error.errors}
    if errors:
        shown = {"token": token, "username": username, "errors": errors}
        return pages_of(request).render(request, "pages/setup.html", shown, 422)
    user.last_login_at = datetime.now(UTC)
    await database.commit()
    context.first_run.finish()
    start_session(request, context.cookies.new(user))
    return RedirectResponse("/", 303)


@router.get("/login")
async def show_login(request: Request, database: Database, next: str = "") -> Response:  # its name in addresses
    """Return the login form."""
    if request.state.actor is not None:
        return RedirectResponse(_own_path(next), 303)
    shown = {"next": next, "no_users": not await user_count(database)}
    return pages_of(request).render(request, "pages/login.html", shown)


@router.post("/login")
async def log_in(
    *,
    request: Request,
    database: Database,
    username: Text = "",
    password: Text = "",
    next: Text = "",  # its name in the form
) -> Response:
    """Check name and password; failures are counted and slow down who guesses."""
    context = context_of(request)
    name = username.strip().lower()
    address = request.client.host if request.client else ""
    wait = context.limiter.wait_seconds(name, address)
    if wait > 0:
        minutes = math.ceil(wait / 60)
        message = f"Too many failed logins. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        answer = _login_again(request, username, next, message, 429)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    # Counted before it is checked: of many guesses at once only those that are free are checked at all.
    context.limiter.tried(name, address)
    user = await database.scalar(select(UserRow).where(UserRow.username == name)) if "\0" not in name else None
    known = user.password_hash if user is not None and user.enabled else None
    if not await context.passwords.matches(known, password) or user is None:
        audit.record(database, None, "login", address, outcome="refused", name=name.replace("\0", ""))
        await database.commit()
        return _login_again(request, username, next, "Name or password is wrong.", 401)
    context.limiter.succeeded(name, address)
    user.last_login_at = datetime.now(UTC)
    actor = WebActor("web", user.id, user.username, Role(user.role))
    audit.record(database, actor, "login", address)
    await database.commit()
    start_session(request, context.cookies.new(user))
    return RedirectResponse(_own_path(next), 303)


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End this session."""
    start_session(request, context_of(request).cookies.new())
    return RedirectResponse("/login", 303)


def _login_again(request: Request, username: str, wanted: str, message: str, status: int) -> Response:
    shown = {"next": wanted, "username": username, "message": message}
    return pages_of(request).render(request, "pages/login.html", shown, status)


def _own_path(wanted: str) -> str:
    """Return the path to go to after a login, if it is one of this server's."""
    parts = urlsplit(wanted)
    own = wanted.startswith("/") and not parts.netloc and not wanted.startswith(("//", "/\\")) and "\\" not in wanted
    return wanted if own and wanted.isprintable() else "/"

"""The user's own account: the password, and tokens for the REST API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.definitions import audit
from app.definitions.acting import act_as
from app.definitions.actors import WebActor
from app.definitions.passwords import password_problem
from app.definitions.roles import Role
from app.shared.database.models import ApiTokenRow, UserRow
from app.web.context import actor_of_request, context_of, database_of
from app.web.pages.render import pages_of
from app.web.security.middleware import start_session
from app.web.security.tokens import new_token, token_hash

router = APIRouter(include_in_schema=False)
Database = Annotated[AsyncSession, Depends(database_of)]
Actor = Annotated[WebActor, Depends(actor_of_request)]
Text = Annotated[str, Form(max_length=1_000)]
_LIFETIMES = {"30": 30, "90": 90, "365": 365, "": None}
_MAX_TOKENS = 50


@router.get("/account")
async def show_account(request: Request, database: Database, actor: Actor) -> Response:
    """Password form and tokens."""
    return await _page(request, database, actor)


@router.post("/account/password")
async def change_password(
    *,
    request: Request,
    database: Database,
    actor: Actor,
    current: Text = "",
    password: Text = "",
    repeated: Text = "",
) -> Response:
    """Set a new password, which ends every session of the user but this one."""
    context = context_of(request)
    user = await database.get_one(UserRow, actor.user_id, with_for_update=True)
    address = request.client.host if request.client else ""
    errors: dict[str, str] = {}
    if context.limiter.wait_seconds(user.username, address) > 0:
        errors["current"] = "too many wrong tries; wait a few minutes"
    elif not await context.passwords.matches(user.password_hash, current):
        context.limiter.tried(user.username, address)
        errors["current"] = "is not your password"
    elif problem := password_problem(password):
        errors["password"] = problem
    elif password != repeated:
        errors["repeated"] = "is not the same"
    if errors:
        return await _page(request, database, actor, errors=errors, status=422)
    context.limiter.succeeded(user.username, address)
    await act_as(database, actor)
    user.password_hash = await context.passwords.hash(password)
    user.session_epoch += 1
    audit.record(database, actor, "account.password", f"user {user.id} “{user.username}”")
    await database.commit()
    start_session(request, context.cookies.new(user))
    return await _page(request, database, actor, message="The password is changed. All other sessions are ended.")


@router.post("/account/tokens")
async def make_token(
    *, request: Request, database: Database, actor: Actor, name: Text = "", role: Text = "viewer", days: Text = ""
) -> Response:
    """Return a new token, shown this once."""
    errors: dict[str, str] = {}
    wanted = Role(role) if role in set(Role) else None
    tokens = list(await database.scalars(select(ApiTokenRow).where(ApiTokenRow.user_id == actor.user_id)))
    if not name.strip() or len(name) > 100 or not name.isprintable():
        errors["name"] = "needs a name of one line, at most 100 characters"
    elif wanted is None or not actor.may(wanted):
        errors["role"] = "must not be more than your own role"
    elif days not in _LIFETIMES:
        errors["days"] = "is none of the choices"
    elif len(tokens) >= _MAX_TOKENS:
        errors["name"] = f"you have {_MAX_TOKENS} tokens; revoke one first"
    if errors or wanted is None:
        return await _page(request, database, actor, errors=errors, status=422)
    lifetime = _LIFETIMES[days]
    token = new_token()
    row = ApiTokenRow(
        user_id=actor.user_id,
        name=name.strip(),
        token_hash=token_hash(token),
        role=wanted.value,
        expires_at=None if lifetime is None else datetime.now(UTC) + timedelta(days=lifetime),
    )
    await act_as(database, actor)
    database.add(row)
    await database.flush()
    audit.record(database, actor, "tokens.create", f"token {row.id} “{row.name}”", detail={"role": row.role})
    await database.commit()
    return await _page(request, database, actor, token=token)


@router.post("/account/tokens/{token_id}/revoke")
async def revoke_token(token_id: int, request: Request, database: Database, actor: Actor) -> Response:
    """Revoke the token."""
    row = await database.get(ApiTokenRow, token_id) if 0 < token_id < 2**63 else None
    if row is not None and row.user_id == actor.user_id:
        await act_as(database, actor)
        audit.record(database, actor, "tokens.delete", f"token {row.id} “{row.name}”")
        await database.delete(row)
        await database.commit()
    return RedirectResponse("/account", 303)


async def _page(
    request: Request,
    database: AsyncSession,
    actor: WebActor,
    *,
    errors: dict[str, str] | None = None,
    message: str = "",
    token: str = "",
    status: int = 200,
) -> Response:
    tokens = await database.scalars(
        select(ApiTokenRow).where(ApiTokenRow.user_id == actor.user_id).order_by(ApiTokenRow.id)
    )
    values = {
        "title": "Account",
        "tokens": list(tokens),
        "roles": [role.value for role in Role if actor.may(role)],
        "errors": errors or {},
        "message": message,
        "new_token": token,
        "now": datetime.now(UTC),
    }
    return pages_of(request).render(request, "pages/account.html", values, status)

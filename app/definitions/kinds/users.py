"""Users of the web admin."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.errors import FieldError, InvalidRecordError
from app.definitions.inputs import Input
from app.definitions.kinds.base import Checking, Keeping, RecordKind, register
from app.definitions.passwords import password_problem
from app.definitions.roles import Role
from app.shared.database.models import UserRow

_LAST_ADMIN = "this is the last admin; make another user admin first"


def _lower(name: object) -> object:
    return name.lower() if isinstance(name, str) else name


class UserInput(Input):
    """A user of the web admin."""

    username: Annotated[
        str, BeforeValidator(_lower), StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9_.@\-]{1,64}$")
    ] = Field(description="Letters, digits, - _ . and @; capital letters count as small ones")
    password: str | None = Field(None, description="At least 10 characters; empty keeps the one there is")
    role: Literal["viewer", "editor", "admin"] = "viewer"
    enabled: bool = True


class Users(RecordKind):
    """Only the web admin manages users, never an API token, and one of them stays admin."""

    name = "users"
    singular = "user"
    row = UserRow
    shape = UserInput
    unique = "username"
    reader = Role.ADMIN
    writer = Role.ADMIN
    hidden = frozenset({"password_hash", "session_epoch"})
    write_only = MappingProxyType({"password_hash": "password"})
    bookkeeping = frozenset({"session_epoch"})
    in_api = False

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Refuse weak passwords, and changes that leave no admin."""
        errors = []
        password = values["password"]
        if password is None and existing is None:
            errors.append(FieldError("password", "is missing"))
        problem = password_problem(password) if password is not None else None
        if problem is not None:
            errors.append(FieldError("password", problem))
        if existing is not None and (values["role"] != "admin" or not values["enabled"]):
            field = "role" if values["role"] != "admin" else "enabled"
            if await _is_last_admin(checking.database, existing):
                errors.append(FieldError(field, _LAST_ADMIN))
        return errors

    async def require_unused(self, database: AsyncSession, row: Any, what: str) -> None:
        """Keep the last admin."""
        if await _is_last_admin(database, row):
            raise InvalidRecordError([FieldError("role", _LAST_ADMIN)])

    async def stored(self, values: Mapping[str, Any], existing: Any, keeping: Keeping) -> dict[str, Any]:
        """Hash a new password, which ends all sessions."""
        columns = {name: value for name, value in values.items() if name != "password"}
        if values.get("password") is not None:
            columns["password_hash"] = await keeping.passwords.hash(values["password"])
            columns["session_epoch"] = 0 if existing is None else existing.session_epoch + 1
        return columns


async def _is_last_admin(database: AsyncSession, user: Any) -> bool:
    if user.role != "admin" or not user.enabled:
        return False
    statement = select(func.count()).select_from(UserRow)
    return not await database.scalar(statement.where(UserRow.role == "admin", UserRow.enabled, UserRow.id != user.id))


USERS = register(Users)

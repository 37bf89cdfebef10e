"""Saves records: checked, audited, and with the database's refusals in the user's words. The caller commits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.components.types import component_types
from app.definitions import audit
from app.definitions.acting import act_as
from app.definitions.actors import WebActor
from app.definitions.errors import (
    DuplicateRecordError,
    FieldError,
    InvalidRecordError,
    ReadOnlyRecordError,
    RecordNotFoundError,
    RoleTooLowError,
)
from app.definitions.kinds.base import Keeping, RecordKind
from app.definitions.kinds.components import COMPONENTS
from app.definitions.passwords import Passwords
from app.definitions.validation import ConfigModels, Validation
from app.shared.database.models import DashboardComponentRow
from app.shared.differences import same
from app.shared.secrets import SecretBox

_UNIQUE_VIOLATION = "23505"
_FOREIGN_KEY_VIOLATION = "23503"


class RecordStore:
    """Creates, changes and deletes records of every kind."""

    def __init__(self, validation: Validation, secret_box: SecretBox, passwords: Passwords) -> None:
        self.validation = validation
        self._keeping = Keeping(secret_box, passwords)

    async def create(
        self, database: AsyncSession, kind: RecordKind, values: Mapping[str, Any], actor: WebActor, *, key: Any = None
    ) -> Any:
        """Return the new row. Raises RoleTooLowError, ReadOnlyRecordError, InvalidRecordError or DuplicateRecordError.

        `key` is that of a record that was there before; without it the database hands one out.
        """
        _require_writer(kind, actor)
        await act_as(database, actor)
        checked = await self.validation.check(database, kind, values)
        await kind.complete(database, checked, None)
        columns = await kind.stored(checked, None, self._keeping)
        if key is not None:
            columns[kind.key] = key
        row = kind.row(**columns, **dict(kind.own))
        await _flush(database, kind, row)
        _audit(database, actor, kind, "create", row, detail={"values": _shown(kind, columns)})
        return row

    async def update(
        self, database: AsyncSession, kind: RecordKind, row: Any, changes: Mapping[str, Any], actor: WebActor
    ) -> Any:
        """Return the row with `changes`, its other fields as they are. Raises what `create` raises.

        Nothing is written when nothing changes.
        """
        _require_writer(kind, actor, row)
        await act_as(database, actor)
        values = {**kind.entered(row), **changes}
        if kind.key in changes and changes[kind.key] != getattr(row, kind.key):
            await kind.require_unused(database, row, "renamed")
        checked = await self.validation.check(database, kind, values, row)
        await kind.complete(database, checked, row)
        sent = {name: value for name, value in checked.items() if name in changes or name not in kind.write_only_fields}
        columns = await kind.stored(sent, row, self._keeping)
        before = {name: getattr(row, name) for name in columns}
        differing = {name: value for name, value in columns.items() if not same(before[name], value)}
        if not differing:
            return row
        for name, value in differing.items():
            setattr(row, name, value)
        await _flush(database, kind, row)
        was = _shown(kind, {name: before[name] for name in differing})
        _audit(database, actor, kind, "update", row, detail={"before": was, "after": _shown(kind, differing)})
        return row

    async def move(
        self, database: AsyncSession, component: DashboardComponentRow, position: int, actor: WebActor
    ) -> None:
        """Give a component another place, whatever else may be wrong with it. Raises RoleTooLowError."""
        _require_writer(COMPONENTS, actor)
        await act_as(database, actor)
        before, component.position = component.position, position
        await _flush(database, COMPONENTS, component)
        detail = {"before": {"position": before}, "after": {"position": position}}
        _audit(database, actor, COMPONENTS, "update", component, detail=detail)

    async def delete(self, database: AsyncSession, kind: RecordKind, row: Any, actor: WebActor) -> None:
        """Delete the row and what belongs to it. Raises RoleTooLowError, ReadOnlyRecordError or InvalidRecordError."""
        _require_writer(kind, actor, row)
        await act_as(database, actor)
        await kind.require_unused(database, row, "deleted")
        shown = _shown(kind, {name: getattr(row, name) for name in kind.fields if name in kind.columns})
        _audit(database, actor, kind, "delete", row, detail={"values": shown})
        await database.delete(row)
        await database.flush()

    async def get(self, database: AsyncSession, kind: RecordKind, key: str) -> Any:
        """Return the row with this key. Raises RecordNotFoundError."""
        try:
            row = await database.get(kind.row, kind.parse_key(key))
        except (ValueError, DBAPIError):
            row = None
        if row is None:
            raise RecordNotFoundError(f"There is no {kind.singular} “{key[:100]}”.")
        return row


def record_store(
    config_models: ConfigModels, secret_box: SecretBox | None = None, passwords: Passwords | None = None
) -> RecordStore:
    """Return a store that checks configs by these models and those of the component types.

    `secret_box` seals secrets; who saves none, as files do, needs none.
    """
    models = {COMPONENTS.name: dict(component_types.items()), **config_models}
    secret_box = secret_box or SecretBox(Fernet.generate_key().decode())
    return RecordStore(Validation(models), secret_box, passwords or Passwords())


def may_read(kind: RecordKind, actor: WebActor) -> None:
    """Raise RoleTooLowError unless the actor may see records of this kind."""
    if not actor.may(kind.reader):
        raise RoleTooLowError(f"Only users with the role {kind.reader} may see {kind.name}.")


def _require_writer(kind: RecordKind, actor: WebActor, row: Any = None) -> None:
    if kind.shape is None:
        raise ReadOnlyRecordError(f"Records of {kind.name} come with the program and cannot be changed here.")
    if row is not None and not kind.is_own(row):
        name = getattr(row, kind.title_field)
        raise ReadOnlyRecordError(f"The {kind.singular} “{name}” comes with the program and cannot be changed here.")
    if not actor.may(kind.writer):
        raise RoleTooLowError(f"Only users with the role {kind.writer} may change {kind.name}.")


async def _flush(database: AsyncSession, kind: RecordKind, row: Any) -> None:
    """Send the row to the database. Raises DuplicateRecordError or InvalidRecordError for what it refuses."""
    try:
        async with database.begin_nested():
            database.add(row)
    except IntegrityError as error:
        state = getattr(error.orig, "sqlstate", "")
        if state == _UNIQUE_VIOLATION:
            message = f"another {kind.singular} has this {kind.unique} already"
            raise DuplicateRecordError(kind.unique, message) from None
        if state == _FOREIGN_KEY_VIOLATION:
            raise InvalidRecordError([FieldError(kind.key, "what it belongs to is gone; reload the page")]) from None
        raise InvalidRecordError([FieldError(kind.unique, "the database refused these values")]) from None


def _shown(kind: RecordKind, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log may say of columns: that a write-only one was set, not to what."""
    return {
        kind.write_only.get(name, name): audit.HIDDEN if name in kind.write_only else value
        for name, value in columns.items()
        if name not in kind.bookkeeping
    }


def _audit(
    database: AsyncSession, actor: WebActor, kind: RecordKind, verb: str, row: Any, *, detail: Mapping[str, Any]
) -> None:
    if actor.kind == "catalog":
        return  # the audit log says what people did; the revisions have this too
    name = str(getattr(row, kind.title_field) or getattr(row, "type", ""))
    key = str(getattr(row, kind.key))
    target = f"{kind.singular} {key}" if name in ("", key) else f"{kind.singular} {key} “{name}”"
    guild = getattr(row, kind.guild) if kind.guild is not None else None
    audit.record(database, actor, f"{kind.name}.{verb}", target, detail=detail, guild_id=guild)

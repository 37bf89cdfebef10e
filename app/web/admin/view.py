"""One kind of record as starlette-admin shows it; saving goes through the record store, as in the API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from sqlalchemy import Text, cast, or_
from starlette.requests import Request
from starlette_admin import RequestAction, RowActionsDisplayType
from starlette_admin.contrib.sqla import ModelView
from starlette_admin.exceptions import ActionFailed, FormValidationError
from starlette_admin.fields import BaseField, TextAreaField

from app.definitions.actors import WebActor
from app.definitions.errors import DuplicateRecordError, FieldError, InvalidRecordError, RecordError
from app.definitions.kinds.base import RecordKind
from app.definitions.revisions import READER, newest_revision
from app.definitions.store import RecordStore
from app.shared.database.models import RevisionRow
from app.shared.yaml import read_typed_yaml
from app.web.admin.fields import ConfigField, JsonText, WriteOnlyField, YamlText


class RecordView(ModelView):
    """The list and the forms of one kind."""

    exporters: Sequence[Any] = ()
    importers: Sequence[Any] = ()
    row_actions_display_type = RowActionsDisplayType.ICON_LIST
    page_size = 25
    show_pk_in_forms = True
    column_visibility = False
    _SEARCHED: ClassVar = ("name", "title", "description", "type", "key", "username", "action", "target", "actor_name")

    def __init__(
        self,
        kind: RecordKind,
        *,
        store: RecordStore,
        label: str,
        icon: str,
        fields: Sequence[BaseField],
        sort: Sequence[str | tuple[str, bool]] = (),
        creatable: bool = True,
        help_text: str = "",
    ) -> None:
        self.kind = kind
        self.help_text = help_text
        self._store = store
        self._creatable = creatable
        self.fields = list(fields)
        _begin_with_defaults(kind, self.fields)
        self.fields_default_sort = list(sort) or [kind.title_field]
        names = {field.name for field in fields}
        self.sortable_fields = [
            field.name
            for field in fields
            if field.name in kind.columns and not isinstance(field, (JsonText, ConfigField))
        ]
        self.searchable_fields = [name for name in self._SEARCHED if name in names]
        self.form_layout = _layout(self.fields)
        super().__init__(kind.row, icon=icon, display_name=kind.singular, menu_label=label, key=kind.name)

    def is_accessible(self, request: Request) -> bool:
        """Whether the user's role may see these records."""
        return _actor(request).may(self.kind.reader)

    def can_create(self, request: Request) -> bool:
        """Whether the user may add a record."""
        return self._creatable and self._may_write(request)

    def can_edit(self, request: Request) -> bool:
        """Whether the user may change a record."""
        return self._may_write(request)

    def can_delete(self, request: Request) -> bool:
        """Whether the user may delete a record."""
        return self._may_write(request)

    def can_export(self, request: Request) -> bool:
        """Never: the REST API does that."""
        return False

    def can_import(self, request: Request) -> bool:
        """Never: the REST API does that."""
        return False

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: Any) -> bool:
        """Whether a row may be changed: not one that comes with the program."""
        if name in ("edit", "delete") and not self.kind.is_own(obj):
            return False
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    def row_url(self, request: Request, pk: Any, row: Mapping[str, Any]) -> str:
        """Where a click on a row leads: a dashboard's preview; else the form, for who may change, or all fields."""
        page = self.kind.page(pk)
        if page is not None:
            return page
        is_own = all(row.get(name) == value for name, value in self.kind.own)
        name = "edit" if is_own and self.can_edit(request) else "detail"
        return str(request.url_for(f"admin:{name}", key=self.key).include_query_params(pk=pk))

    async def repr(self, obj: Any, request: Request) -> str:
        """Return the record in messages: its name."""
        return str(getattr(obj, self.kind.title_field) or getattr(obj, "type", "") or getattr(obj, self.kind.key))

    def get_search_query(self, request: Request, term: str) -> Any:
        """Any of the searched columns holds the term."""
        columns = self.kind.row.__mapper__.columns
        pattern = "%" + term.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        found = [cast(columns[name], Text).ilike(pattern) for name in self._SEARCHED if name in columns]
        return or_(*(found or [cast(columns[self.kind.key], Text).ilike(pattern)]))

    async def find_by_pk(self, request: Request, pk: Any) -> Any:
        """Return the row, or None; a key that can be none finds nothing."""
        try:
            self.kind.parse_key(str(pk))
        except ValueError:
            return None
        if request.state.action is RequestAction.EDIT and request.method == "GET":
            newest = await self._newest_revision(request, pk)
            request.state.known_revision = 0 if newest is None else newest.id
        return await super().find_by_pk(request, pk)

    async def find_by_pks(self, request: Request, pks: list[Any]) -> Sequence[Any]:
        """Return the rows that there are of these."""
        return [row for row in [await self.find_by_pk(request, pk) for pk in pks] if row is not None]

    def history_url(self, request: Request, row: Any) -> str:
        """Where the record's revisions are; empty for records that have none, and for who may not read them."""
        if self.kind.shape is None or row is None or not _actor(request).may(READER):
            return ""
        key = getattr(row, self.kind.key)
        return f"/revisions?{urlencode(self.kind.history(key))}"

    def known_revision(self, request: Request) -> int:
        """Return the record's newest revision when its form was made; 0 where there was none."""
        known: int = getattr(request.state, "known_revision", 0)
        return known

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Save a new record. Raises FormValidationError, which the form shows."""
        values = self._values(data)
        try:
            return await self._store.create(request.state.session, self.kind, values, _actor(request))
        except RecordError as error:
            raise _form_error(error, data) from error

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Save changes. Raises FormValidationError, which the form shows."""
        values = self._values(data)
        row = await self.find_by_pk(request, pk)
        await self._require_unchanged(request, row, data)
        try:
            return await self._store.update(request.state.session, self.kind, row, values, _actor(request))
        except RecordError as error:
            raise _form_error(error, data) from error

    async def delete(self, request: Request, pks: list[Any]) -> int | None:
        """Delete records. Raises ActionFailed with the reason, which the page shows."""
        rows = [await self.find_by_pk(request, pk) for pk in pks]
        known = [row for row in rows if row is not None]
        try:
            for row in known:
                await self._store.delete(request.state.session, self.kind, row, _actor(request))
        except RecordError as error:
            raise ActionFailed(str(error)) from error
        return len(known)

    async def _require_unchanged(self, request: Request, row: Any, data: dict[str, Any]) -> None:
        """Raise FormValidationError if someone changed the record since the form was made; lock it otherwise."""
        known = str((await request.form()).get("known_revision", ""))
        if not known.isascii() or not known.isdecimal():
            return  # no form of ours, such as one field changed in the list
        request.state.known_revision = int(known[:18])
        await request.state.session.refresh(row, with_for_update=True)
        newest = await self._newest_revision(request, getattr(row, self.kind.key))
        if newest is not None and newest.id > request.state.known_revision:
            text = (
                f"Changed meanwhile by {newest.actor_name or newest.actor_type}. Reload the page to see what it is, "
                "and enter your change again."
            )
            raise FormValidationError({next(iter(data), self.kind.key): text})

    async def _newest_revision(self, request: Request, key: Any) -> RevisionRow | None:
        return await newest_revision(request.state.session, self.kind.row.__tablename__, str(key))

    def _may_write(self, request: Request) -> bool:
        return self.kind.shape is not None and _actor(request).may(self.kind.writer)

    def _values(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what was typed as the record's values. Raises FormValidationError for what is no JSON, or no YAML."""
        values: dict[str, Any] = {}
        errors: dict[str | int, Any] = {}
        for field in self.fields:
            if field.name not in data or field.name not in self.kind.form.model_fields:
                continue
            raw = data[field.name]
            if isinstance(field, JsonText):
                try:
                    values[field.name] = read_typed_yaml(raw or "") if isinstance(field, YamlText) else _from_json(raw)
                except ValueError as error:
                    errors[field.name] = f"{field.name}: {error}"
            elif raw in ("", None):
                if not isinstance(field, WriteOnlyField):
                    self._leave_empty(field.name, values)
            else:
                values[field.name] = raw
        if errors:
            raise FormValidationError(errors)
        return values

    def _leave_empty(self, name: str, values: dict[str, Any]) -> None:
        """Leave an empty input out: it means the default where there is one, and is missing elsewhere."""
        field = self.kind.form.model_fields[name]
        values[name] = "" if field.is_required() else field.get_default(call_default_factory=True)


def _begin_with_defaults(kind: RecordKind, fields: Iterable[BaseField]) -> None:
    """Let simple fields begin with the default of the kind's input model, where they name no other."""
    known = {} if kind.shape is None else kind.form.model_fields
    for field in fields:
        if field.default is None and field.name in known and known[field.name].default not in (None, ""):
            default = known[field.name].default
            field.default = default if isinstance(default, (str, int, float)) else None


def _from_json(text: str) -> Any:
    """Return the value in a text of JSON. Raises ValueError, which says where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no JSON (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON") from None


def _layout(fields: Sequence[BaseField]) -> list[Any]:
    """Short fields two in a row, large ones alone."""
    rows: list[Any] = []
    waiting: list[str] = []
    for field in fields:
        if isinstance(field, TextAreaField):
            rows += [*([tuple(waiting)] if waiting else []), field.name]
            waiting = []
        elif not (field.exclude_from_create and field.exclude_from_edit):
            waiting.append(field.name)
        if len(waiting) == 2:
            rows.append(tuple(waiting))
            waiting = []
    return [*rows, *([tuple(waiting)] if waiting else [])]


def _actor(request: Request) -> WebActor:
    actor: WebActor = request.state.actor
    return actor


def _form_error(error: RecordError, data: dict[str, Any]) -> FormValidationError:
    """Return the error at the fields of the form; what belongs to none of them at the first."""
    if isinstance(error, InvalidRecordError):
        found = error.errors
    elif isinstance(error, DuplicateRecordError):
        found = (FieldError(error.field, error.message),)
    else:
        found = (FieldError(next(iter(data), "name"), str(error)),)
    messages: dict[str | int, Any] = {}
    for one in found:
        field = one.field.partition(".")[0]
        place = field if field in data else next(iter(data), field)
        text = f"{one.field}: {one.message}"
        messages[place] = f"{messages[place]}\n{text}" if place in messages else text
    return FormValidationError(messages)

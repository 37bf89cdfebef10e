"""Checks a record before it is saved: its shape, its config against its type, and what it refers to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.actions.command_options import MAX_COMMANDS, length_problem
from app.bot.domain.actions.parameters import unknown_parameters
from app.bot.domain.components.component import describe_validation_error
from app.bot.domain.components.nesting import nested_in
from app.bot.domain.components.placeholders import placeholders_in
from app.bot.domain.components.template_types import with_defaults
from app.bot.domain.components.variables import uses_variables
from app.bot.domain.dashboards.dashboard import Layout
from app.bot.domain.readings.items import value_at
from app.definitions.config_schema import config_errors
from app.definitions.errors import FieldError, InvalidRecordError, known_names
from app.definitions.kinds import (
    ACTIONS,
    COMMANDS,
    COMPONENT_TYPES,
    COMPONENTS,
    DASHBOARDS,
    DATA_SOURCE_TYPES,
    USERS,
    Kind,
)
from app.definitions.passwords import password_problem
from app.definitions.source_types import source_type_errors, whole_config, whole_schema
from app.definitions.template_types import StoredType, TemplateTypeChecks
from app.shared.database.models import (
    ChannelRow,
    CommandRow,
    ComponentTypeRow,
    DashboardComponentRow,
    DashboardRow,
    DataSourceRow,
    GuildRow,
    UserRow,
)

ConfigModels = Mapping[str, Mapping[str, type[BaseModel]]]
"""Config models by kind and type: what they check between fields, a JSON Schema cannot say."""
_MAX_DEPTH = 30
_MENTIONED_USERS = 10
_MAX_CHARACTERS = 200_000
_LARGEST = 1e300


class Validation:
    """Checks values against everything that is known about a kind. `models` may lack kinds and types."""

    def __init__(self, models: ConfigModels) -> None:
        self._models = models
        self._template_types = TemplateTypeChecks(models.get(COMPONENTS.name, {}))

    async def check(
        self, database: AsyncSession, kind: Kind, values: Mapping[str, Any], existing: Any = None
    ) -> dict[str, Any]:
        """The values as the kind's shape has them. Raises InvalidRecordError with every wrong field."""
        unstorable = [error for name, value in values.items() for error in _unstorable(value, name)]
        if unstorable:
            raise InvalidRecordError(unstorable)
        try:
            parsed = kind.form.model_validate(dict(values))
        except ValidationError as error:
            raise InvalidRecordError([*shape_errors(error), *await self._config(database, kind, values)]) from None
        checked = {name: getattr(parsed, name) for name in kind.form.model_fields}
        errors = await self._config(database, kind, checked)
        errors += await _references(database, kind, checked)
        if kind is COMPONENT_TYPES:
            errors += await self._component_type(database, checked)
        if kind is DATA_SOURCE_TYPES:
            errors += await self._source_type(database, checked)
        if kind is COMMANDS:
            errors += await self._command(database, checked, existing)
        if kind is DASHBOARDS:
            errors += _model_errors(Layout, checked["layout"], "layout")
        if kind is USERS:
            errors += await _user(database, checked, existing)
        if errors:
            raise InvalidRecordError(errors)
        return checked

    async def _config(self, database: AsyncSession, kind: Kind, values: Mapping[str, Any]) -> list[FieldError]:
        name, config = values.get("type"), values.get("config", {})
        if kind.types is None or not isinstance(name, str) or not isinstance(config, Mapping):
            return []  # without a type there is nothing to say, and what is no config has been said
        row: Any = await database.get(kind.types, name)
        if row is None or not getattr(row, "enabled", True):
            known = await database.scalars(select(kind.types.__mapper__.columns["name"]).order_by("name"))
            return [FieldError("type", f"there is no type “{name[:100]}”; {known_names(name, known)}")]
        is_template = kind is COMPONENTS and row.kind == "template"
        filled = with_defaults(row.config_schema, config) if is_template else whole_config(row, config)
        errors = config_errors(whole_schema(row), filled)
        errors = _known_errors(kind, errors, config)
        if kind is ACTIONS:
            errors += [
                FieldError("config", f"${{params.{unknown}}}: there is no parameter “{unknown}”; add it to parameters")
                for unknown in unknown_parameters(config)
            ]
        model = self._models.get(kind.name, {}).get(name)
        if model is None or errors:
            return errors
        errors = _known_errors(kind, _model_errors(model, config, "config"), config)
        if kind is COMPONENTS and not errors and next(nested_in(model, config), None) is not None:
            return self._template_types.nested_errors(name, config, await _stored_types(database))
        return errors

    async def _component_type(self, database: AsyncSession, values: Mapping[str, Any]) -> list[FieldError]:
        return self._template_types.type_errors(
            values["name"], values["config_schema"], values["definition"], await _stored_types(database)
        )

    async def _source_type(self, database: AsyncSession, values: Mapping[str, Any]) -> list[FieldError]:
        stored = await _stored_types(database)
        return source_type_errors(values["config_schema"], values["definition"], self._template_types, stored)

    async def _command(self, database: AsyncSession, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """What Discord would refuse: a command that is too long, and one that is too many."""
        found = []
        model = self._models.get(COMMANDS.name, {}).get(values["type"])
        with suppress(ValidationError):
            options = getattr(model.model_validate(dict(values["config"])), "options", []) if model else []
            problem = length_problem(values["name"], values["description"], options)
            found += [FieldError("config.options", problem)] if problem is not None else []
        is_other = CommandRow.id.is_distinct_from(existing.id if existing is not None else None)
        others = select(func.count()).select_from(CommandRow).where(CommandRow.enabled, is_other)
        if values["enabled"] and (await database.scalar(others) or 0) >= MAX_COMMANDS:
            found.append(FieldError("enabled", f"Discord takes {MAX_COMMANDS} commands; switch another one off first"))
        return found

    async def check_source_type_unused(self, database: AsyncSession, name: str, what: str) -> None:
        """Raise InvalidRecordError where data sources are of a declared type; it names them."""
        found = select(DataSourceRow.name).where(DataSourceRow.type == name).order_by(DataSourceRow.name)
        _refuse_used([f"the data source “{source}”" for source in await database.scalars(found)], what)

    async def check_unused(self, database: AsyncSession, name: str, what: str) -> None:
        """Raise InvalidRecordError where dashboards or types use a template type; it names them."""
        mention = f'%"type": {_like(json.dumps(name))}%'
        places = await database.scalars(
            select(DashboardRow.name)
            .join(DashboardRow.components)
            .where(
                (DashboardComponentRow.type == name)
                | cast(DashboardComponentRow.config, Text).like(mention, escape="\\")
            )
            .distinct()
            .order_by(DashboardRow.name)
        )
        types = await database.scalars(
            select(ComponentTypeRow.name)
            .where(cast(ComponentTypeRow.definition, Text).like(mention, escape="\\"), ComponentTypeRow.name != name)
            .order_by(ComponentTypeRow.name)
        )
        users = [f"the dashboard “{place}”" for place in places] + [f"the component type “{other}”" for other in types]
        _refuse_used(users, what)


def _refuse_used(users: Sequence[str], what: str) -> None:
    if users:
        more = f" and {len(users) - _MENTIONED_USERS} more" if len(users) > _MENTIONED_USERS else ""
        shown = ", ".join(users[:_MENTIONED_USERS]) + more
        remedy = "Change those first, or switch it off"
        raise InvalidRecordError([FieldError("name", f"cannot be {what} while it is used by {shown}. {remedy}")])


async def _stored_types(database: AsyncSession) -> list[StoredType]:
    """The template types that are switched on."""
    statement = select(ComponentTypeRow).where(ComponentTypeRow.kind == "template", ComponentTypeRow.enabled)
    rows = await database.scalars(statement)
    return [StoredType(row.name, row.config_schema, row.definition) for row in rows]


def _like(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def shape_errors(error: ValidationError) -> list[FieldError]:
    """A pydantic error as field errors; an error of the whole names its field in its first word."""
    found = []
    for problem in error.errors(include_url=False, include_input=False):
        place, _, message = describe_validation_error(problem).partition(": ")
        if not problem["loc"]:
            place, _, message = message.partition(" ")
        found.append(FieldError(place, message))
    return found


def _known_errors(kind: Kind, errors: list[FieldError], config: Mapping[str, Any]) -> list[FieldError]:
    """The errors without those of values that are known only later: of variables, or of an action's parameters."""
    if kind is COMPONENTS:
        return [error for error in errors if not _is_of_variables(error, config)]
    if kind is ACTIONS:
        return [error for error in errors if not _is_of_parameters(error, config)]
    return errors


def _is_of_parameters(error: FieldError, config: Mapping[str, Any]) -> bool:
    """Whether what is wrong is a placeholder of a parameter, whose value is known only when the action runs."""
    found = value_at(config, error.field.removeprefix("config."))
    return any(path.startswith("params.") for path in placeholders_in(found))


def _is_of_variables(error: FieldError, config: Mapping[str, Any]) -> bool:
    """Whether what is wrong is a placeholder of a variable, whose value is known only when the dashboard is built."""
    found = value_at(config, error.field.removeprefix("config."))
    return isinstance(found, str) and uses_variables({"value": found})


def _model_errors(model: type[BaseModel], config: Mapping[str, Any], prefix: str) -> list[FieldError]:
    try:
        model.model_validate(dict(config))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        return [
            FieldError(
                ".".join([prefix, *(str(part) for part in problem["loc"])]),
                describe_validation_error(problem).partition(": ")[2],
            )
            for problem in problems
        ]
    return []


async def _references(database: AsyncSession, kind: Kind, values: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    if kind is DASHBOARDS and await database.get(GuildRow, values["guild_id"]) is None:
        errors.append(FieldError("guild_id", "there is no such server; the bot adds a server when it joins it"))
    if kind is DASHBOARDS and values["channel_id"] is not None:
        channel = await database.get(ChannelRow, values["channel_id"])
        if channel is not None and channel.guild_id != values["guild_id"]:
            errors.append(FieldError("channel_id", f"#{channel.name} belongs to another server"))
    if kind is COMPONENTS and await database.get(DashboardRow, values["dashboard_id"]) is None:
        errors.append(FieldError("dashboard_id", "there is no such dashboard"))
    return errors


async def _user(database: AsyncSession, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
    errors = []
    password = values["password"]
    if password is None and existing is None:
        errors.append(FieldError("password", "is missing"))
    problem = password_problem(password) if password is not None else None
    if problem is not None:
        errors.append(FieldError("password", problem))
    if existing is not None and existing.role == "admin" and existing.enabled:
        field = "role" if values["role"] != "admin" else "enabled"
        if (values["role"] != "admin" or not values["enabled"]) and await is_last_admin(database, existing):
            errors.append(FieldError(field, "this is the last admin; make another user admin first"))
    return errors


async def is_last_admin(database: AsyncSession, user: Any) -> bool:
    """Whether nobody else could manage users if this user were gone."""
    others = await database.scalar(
        select(func.count()).select_from(UserRow).where(UserRow.role == "admin", UserRow.enabled, UserRow.id != user.id)
    )
    return bool(user.role == "admin" and user.enabled and not others)


def _unstorable(value: Any, place: str, depth: int = 0) -> Iterator[FieldError]:
    """What PostgreSQL could not keep as it is: NUL and lone surrogates, numbers and structures without a bound."""
    if depth > _MAX_DEPTH:
        yield FieldError(place, f"is nested deeper than {_MAX_DEPTH} levels")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unstorable_text(str(key), place)
            yield from _unstorable(item, f"{place}.{key}", depth + 1)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _unstorable(item, f"{place}.{index}", depth + 1)
    elif isinstance(value, str):
        yield from _unstorable_text(value, place)
    elif isinstance(value, (int, float)) and not -_LARGEST < value < _LARGEST:
        yield FieldError(place, "is no finite number of a sensible size")


def _unstorable_text(text: str, place: str) -> Iterator[FieldError]:
    if "\0" in text or text != text.encode(errors="replace").decode():
        yield FieldError(place, "holds a character that is no text (NUL or half of a pair)")
    elif len(text) > _MAX_CHARACTERS:
        yield FieldError(place, "is too long")

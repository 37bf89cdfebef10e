"""The shape of each kind of record, as it is entered: what the web admin's forms and the REST API take."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.bot.domain.actions.command_options import description_problem, name_problem
from app.bot.domain.permissions import PERMISSIONS, permission_problem, scope_problem
from app.shared.locales import UnknownLocaleError, locale_forms

MAX_ID = 2**63 - 1
_MAX_INTEGER = 2**31 - 1


def _snowflake(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip()):
        return int(value)
    return value


def _one_line(text: str) -> str:
    if any(ord(letter) < 32 for letter in text):
        raise ValueError("must be a single line")
    return text


def _lower(name: object) -> object:
    return name.lower() if isinstance(name, str) else name


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone; use a name such as Europe/Berlin or UTC")
    return name


def _locale(tag: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?", tag):
        raise ValueError("is no locale; use a tag such as en, de-DE or pt-BR")
    try:
        locale_forms(tag)
    except UnknownLocaleError:
        raise ValueError("is not known; use a tag such as en, de-DE or pt-BR") from None
    return tag


def _without(problem: Callable[[str], str | None]) -> Callable[[str], str]:
    """A validator that refuses what has a problem."""

    def check(text: str) -> str:
        found = problem(text)
        if found is not None:
            raise ValueError(found)
        return text

    return check


SnowflakeId = Annotated[
    int,
    Field(gt=0, le=MAX_ID),
    BeforeValidator(_snowflake),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,19}$", "examples": ["1300000000000000001"]}),
]
"""An id of Discord's. In JSON it is text, as in Discord's own API: JavaScript's numbers are too small for it."""
RowId = Annotated[int, Field(gt=0, le=MAX_ID)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_one_line)]
KeyName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.\-]{1,64}$")]
"""A name that other definitions refer to."""
Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_one_line)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Config = dict[str, Any]


class Input(BaseModel):
    """Base of all shapes: nothing that it does not know, nothing that is not finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class DashboardInput(Input):
    """A dashboard: what is shown, where, and how often it is compared with the readings."""

    guild_id: SnowflakeId = Field(description="The Discord server it belongs to")
    name: Name = Field(description="Unique in its server")
    description: LongText = Field("", description="What it is for")
    layout: Config = Field(default_factory=dict, description="Frame, accent colour and footer")
    refresh_rate: int = Field(15, ge=2, le=86_400, description="Seconds between two comparisons with the readings")
    channel_id: SnowflakeId | None = Field(None, description="The channel it is posted to; empty for none")
    renew_after: int | None = Field(
        None, ge=60, le=_MAX_INTEGER, description="Seconds after which it is posted anew, so that it stays fast"
    )
    enabled: bool = True


class ComponentInput(Input):
    """One component of a dashboard."""

    dashboard_id: RowId = Field(description="The dashboard it is part of")
    type: Name = Field(description="Name of a component type")
    position: int | None = Field(None, ge=0, le=_MAX_INTEGER, description="Order in the dashboard; empty puts it last")
    page: Name | None = Field(None, description="The page it is shown on; empty for every page")
    name: Title = Field("", description="A name for it, shown where it is broken")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class ComponentTypeInput(Input):
    """A component type made of other components, without code."""

    name: KeyName = Field(description="Unique; components refer to it")
    title: Title = Field("", description="The name that people read")
    description: LongText = Field("", description="What it shows, above the form of its parameters")
    config_schema: Config = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description="Its parameters, as a JSON Schema (draft 2020-12) of an object",
    )
    definition: Config = Field(
        description="What it consists of: {components: [{type, name, config, visible_when}]}; ${params.name} puts in a "
        "parameter before a config is read, {{ params.name }} when a text is written"
    )
    enabled: bool = True


class DataSourceTypeInput(Input):
    """A data source type that is described by requests and mappings, without code."""

    name: KeyName = Field(description="Unique, among the types of the program too; data sources refer to it")
    title: Title = Field("", description="The name that people read")
    description: LongText = Field("", description="What it reads, above the form of its parameters")
    config_schema: Config = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description="Its parameters, as a JSON Schema (draft 2020-12) of an object",
    )
    definition: Config = Field(description="Requests, log-in and mappings; ${params.name} puts in a parameter")
    enabled: bool = True


class DataSourceInput(Input):
    """A configured thing to read."""

    name: KeyName = Field(description="Unique; components refer to it")
    title: Title = Field("", description="The name that people read")
    type: Name = Field(description="Name of a data source type")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    interval_seconds: float = Field(30, ge=1, le=604_800, description="Seconds between two polls")
    timeout_seconds: float = Field(10, gt=0, le=600, description="Seconds a poll may take")
    enabled: bool = True


class ServiceInput(Input):
    """A long-running part of the bot."""

    name: KeyName = Field(description="Unique")
    type: Name = Field(description="Name of a service type")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class CommandInput(Input):
    """A slash command."""

    name: Annotated[Name, AfterValidator(_without(name_problem))] = Field(
        description="What is typed after the slash: 1 to 32 small letters, digits, - and _"
    )
    type: Name = Field(description="Name of a command type")
    description: Annotated[
        str, StringConstraints(strip_whitespace=True), AfterValidator(_without(description_problem))
    ] = Field(description="What Discord shows beside it: 1 to 100 characters")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class ActionInput(Input):
    """Something a user may do from Discord."""

    name: KeyName = Field(description="Unique; buttons and permissions refer to it")
    title: Title = Field("", description="The name that people read")
    type: Name = Field(description="Name of an action type")
    config: Config = Field(default_factory=dict, description="As the type's schema says")
    enabled: bool = True


class PermissionGrantInput(Input):
    """One grant or denial. A denial wins over every grant."""

    guild_id: SnowflakeId | None = Field(None, description="The server it holds in; empty for every server")
    subject_type: Literal["everyone", "role", "user"] = Field(description="Whom it is about")
    subject_id: SnowflakeId | None = Field(None, description="Discord's id of the role or user")
    permission: Annotated[Name, AfterValidator(_without(permission_problem))] = Field(
        description=f"{', '.join(PERMISSIONS)}, or * for all"
    )
    scope: Annotated[Name, AfterValidator(_without(scope_problem))] = Field(
        "*",
        description="What it is about: * for all, action:name, source:name (also what actions do to it), "
        "dashboard:name, command:name, or a name alone",
    )
    effect: Literal["allow", "deny"] = "allow"

    @model_validator(mode="after")
    def _subject_fits(self) -> PermissionGrantInput:
        if (self.subject_type == "everyone") != (self.subject_id is None):
            what = "must be empty for everyone" if self.subject_id else f"is missing: the id of the {self.subject_type}"
            raise ValueError(f"subject_id {what}")
        return self


class SettingInput(Input):
    """A setting that is no environment variable."""

    key: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.\-]{1,100}$")] = Field(
        description="Unique, such as theme.accent"
    )
    value: Any = Field(description="Any JSON")
    description: LongText = ""


class GuildInput(Input):
    """A Discord server; the bot adds them by itself."""

    id: SnowflakeId = Field(description="Discord's id of the server")
    name: Title = ""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC", description="Dates and times of its dashboards are in this zone; such as Europe/Berlin"
    )
    locale: Annotated[str, AfterValidator(_locale)] = Field(
        "en", description="Its dashboards write numbers, money and dates as there; such as en or de-DE"
    )
    temperature_unit: Literal["celsius", "fahrenheit"] = Field(
        "celsius", description="Its dashboards show temperatures in this unit"
    )
    enabled: bool = True


class SecretInput(Input):
    """A secret; its value goes in and never comes out."""

    name: KeyName = Field(description="Unique; configs write it as ${secret:name}")
    value: Annotated[str, StringConstraints(min_length=1, max_length=10_000)] = Field(
        description="Stored encrypted, never shown again"
    )


class UserInput(Input):
    """A user of the web admin."""

    username: Annotated[
        str, BeforeValidator(_lower), StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9_.@\-]{1,64}$")
    ] = Field(description="Letters, digits, - _ . and @; capital letters count as small ones")
    password: str | None = Field(None, description="At least 10 characters; empty keeps the one there is")
    role: Literal["viewer", "editor", "admin"] = "viewer"
    enabled: bool = True

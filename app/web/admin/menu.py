"""Which kinds the table pages show, in which order, with which fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette_admin.fields import BaseField, BooleanField, DateTimeField, StringField, TextAreaField

from app.definitions.kinds.actions import ACTIONS
from app.definitions.kinds.base import RecordKind
from app.definitions.kinds.commands import COMMANDS
from app.definitions.kinds.component_types import COMPONENT_TYPES
from app.definitions.kinds.components import COMPONENTS
from app.definitions.kinds.dashboards import DASHBOARDS
from app.definitions.kinds.data_source_types import DATA_SOURCE_TYPES
from app.definitions.kinds.data_sources import DATA_SOURCES
from app.definitions.kinds.guilds import GUILDS
from app.definitions.kinds.logs import ACTION_RUNS, AUDIT_LOG
from app.definitions.kinds.permission_grants import PERMISSION_GRANTS
from app.definitions.kinds.program_types import ACTION_TYPES, COMMAND_TYPES, SERVICE_TYPES
from app.definitions.kinds.secrets import SECRETS
from app.definitions.kinds.services import SERVICES
from app.definitions.kinds.settings import SETTINGS
from app.definitions.kinds.users import USERS
from app.definitions.store import RecordStore
from app.web.admin import choices
from app.web.admin.fields import ChoiceField, ConfigField, JsonText, NumberText, WriteOnlyField, YamlText
from app.web.admin.view import RecordView

_ROLES = choices.words(
    ("viewer", "viewer: looks at everything"),
    ("editor", "editor: also changes dashboards, sources, commands"),
    ("admin", "admin: also users, secrets, permissions, settings"),
)


_PARAMETERS = {
    "type": "object",
    "properties": {
        "source": {"type": "string", "title": "Data source", "description": "What it shows", "default": "host"},
    },
    "additionalProperties": False,
}
_PARAMETERS_HELP = (
    "A JSON Schema of an object, in YAML or JSON: each property is one field of the form, with its title, description "
    "and default."
)
_DEFINITION = {
    "components": [
        {"type": "heading", "config": {"text": "${params.source}", "size": 3}},
        {"type": "metric", "config": {"source": "${params.source}", "metric": "cpu.percent", "label": "CPU"}},
    ]
}
_DEFINITION_HELP = (
    "What it consists of, in YAML or JSON. ${params.name} puts in a parameter; texts also take Jinja2, such as "
    "{{ metric(params.source, 'load.1') }}, and visible_when takes a CEL condition."
)


_SOURCE_PARAMETERS = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "title": "Address", "description": "Such as http://192.168.1.10:8080"},
        "token": {"type": "string", "title": "Token", "description": "Best as ${secret:name}", "default": ""},
    },
    "additionalProperties": False,
}
_REQUESTS = {
    "icon": "🧪",
    "url": "${params.url}",
    "auth": {"type": "bearer", "token": "${params.token}"},
    "requests": [{"name": "status", "path": "/api/status"}],
    "metrics": [{"name": "cpu.percent", "path": "status.cpu", "unit": "percent"}],
    "items": [{"name": "disks", "path": "status.disks", "fields": {"name": "name", "used": "used_percent"}}],
    "components": [{"type": "metric", "config": {"source": "${source}", "metric": "cpu.percent", "label": "CPU"}}],
}
_REQUESTS_HELP = (
    "What is asked, and where the numbers are in the answers, in YAML or JSON: paths are JMESPath, expressions and "
    "status CEL. ${params.name} puts in a parameter, ${answers.status.id} a value of an earlier answer."
)


MakeView = Callable[..., RecordView]
"""Makes the view of a kind on the store."""


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """Some views under a heading in the side bar."""

    title: str
    views: tuple[RecordView, ...]


def menu(store: RecordStore) -> tuple[MenuGroup, ...]:
    """Return the side bar, group by group."""
    view = partial(RecordView, store=store)
    return (
        MenuGroup("Dashboards", _of_dashboards(view)),
        MenuGroup("Data", _of_data(view)),
        MenuGroup("Discord", _of_discord(view)),
        MenuGroup("System", _of_system(view)),
    )


def _of_dashboards(view: MakeView) -> tuple[RecordView, ...]:
    return (
        view(DASHBOARDS, label="Dashboards", icon="fa fa-table-columns", fields=_dashboards()),
        view(
            COMPONENTS,
            label="Components",
            icon="fa fa-cubes",
            fields=_components(),
            sort=["dashboard_id", "position"],
        ),
        view(
            COMPONENT_TYPES,
            label="Component types",
            icon="fa fa-shapes",
            fields=_component_types(),
            help_text="Types of kind builtin come with the program. Make your own of others, without code.",
        ),
    )


def _of_data(view: MakeView) -> tuple[RecordView, ...]:
    return (
        view(DATA_SOURCES, label="Data sources", icon="fa fa-database", fields=_data_sources()),
        view(
            DATA_SOURCE_TYPES,
            label="Source types",
            icon="fa fa-plug",
            fields=_source_types(),
            help_text="Builtin ones are code. The others are requests and mappings: look at one that comes "
            "along, and make your own for any service that answers in JSON.",
        ),
    )


def _of_discord(view: MakeView) -> tuple[RecordView, ...]:
    return (
        view(COMMANDS, label="Commands", icon="fa fa-terminal", fields=_commands()),
        view(ACTIONS, label="Actions", icon="fa fa-bolt", fields=_actions()),
        view(
            ACTION_RUNS,
            label="Action runs",
            icon="fa fa-clock-rotate-left",
            fields=_action_runs(),
            sort=[("id", True)],
        ),
        view(
            PERMISSION_GRANTS,
            label="Permissions",
            icon="fa fa-key",
            fields=_grants(),
            help_text="Everyone may look; the rest needs a grant, or Manage Server. A denial wins.",
            sort=["permission"],
        ),
        view(
            GUILDS,
            label="Servers",
            icon="fa fa-server",
            fields=_guilds(),
            help_text="The bot adds a server when it joins it.",
            creatable=False,
        ),
    )


def _of_system(view: MakeView) -> tuple[RecordView, ...]:
    return (
        view(SERVICES, label="Services", icon="fa fa-gears", fields=_services()),
        view(SETTINGS, label="Settings", icon="fa fa-sliders", fields=_settings()),
        view(
            SECRETS,
            label="Secrets",
            icon="fa fa-lock",
            fields=_secrets(),
            help_text="Encrypted, and never shown again. A config uses one as ${secret:name}.",
        ),
        view(USERS, label="Users", icon="fa fa-users", fields=_users()),
        view(AUDIT_LOG, label="Audit log", icon="fa fa-list-check", fields=_audit(), sort=[("id", True)]),
    )


def _id() -> BaseField:
    return StringField("id", exclude_from_list=True, exclude_from_create=True, exclude_from_edit=True)


def _changed() -> BaseField:
    return DateTimeField("updated_at", label="Changed", exclude_from_create=True, exclude_from_edit=True)


def _enabled() -> BaseField:
    return BooleanField("enabled", label="On")


def _typed(types: RecordKind) -> list[BaseField]:
    return [ChoiceField("type", loader=choices.types_of(types), required=True), ConfigField("config", kind=types.name)]


def _dashboards() -> list[BaseField]:
    return [
        _id(),
        StringField("name", required=True),
        ChoiceField("guild_id", label="Server", loader=choices.guilds, required=True),
        ChoiceField("channel_id", label="Channel", loader=choices.channels, help_text="Empty: only shown on demand"),
        TextAreaField("description", rows=2, exclude_from_list=True),
        NumberText("refresh_rate", label="Refresh (s)", help_text="Seconds between two updates, 2 or more"),
        NumberText(
            "renew_after",
            label="Renew after (s)",
            exclude_from_list=True,
            help_text="Post again after as many seconds: Discord lets old messages be edited only rarely. Empty: no",
        ),
        ConfigField("layout", kind="dashboards", fixed_type="layout"),
        _enabled(),
        NumberText("version", exclude_from_create=True, exclude_from_edit=True),
        _changed(),
    ]


def _components() -> list[BaseField]:
    return [
        _id(),
        ChoiceField("dashboard_id", label="Dashboard", loader=choices.dashboards, required=True),
        NumberText("position", help_text="Order in the dashboard; empty puts it last"),
        StringField("name", help_text="Shown where the component is broken; may be empty"),
        StringField("page", help_text="Only on this page; empty: on every page"),
        *_typed(COMPONENT_TYPES),
        _enabled(),
        _changed(),
    ]


def _data_sources() -> list[BaseField]:
    return [
        _id(),
        StringField("name", required=True, help_text="Components refer to it: letters, digits, - _ ."),
        StringField("title", help_text="The name that people read"),
        NumberText("interval_seconds", label="Interval (s)", step="any"),
        NumberText("timeout_seconds", label="Timeout (s)", step="any", exclude_from_list=True),
        *_typed(DATA_SOURCE_TYPES),
        _enabled(),
        _changed(),
    ]


def _commands() -> list[BaseField]:
    return [
        _id(),
        StringField("name", required=True, help_text="What is typed after the slash"),
        StringField("description", maxlength=100, help_text="What Discord shows beside it"),
        *_typed(COMMAND_TYPES),
        _enabled(),
        _changed(),
    ]


def _actions() -> list[BaseField]:
    return [
        _id(),
        StringField("name", required=True, help_text="Buttons and permissions refer to it"),
        StringField("title", help_text="The name that people read"),
        *_typed(ACTION_TYPES),
        _enabled(),
        _changed(),
    ]


def _action_runs() -> list[BaseField]:
    return [
        _id(),
        DateTimeField("requested_at", label="When"),
        StringField("action"),
        StringField("state"),
        StringField("user_name", label="Who"),
        StringField("origin", label="From"),
        JsonText("parameters"),
        StringField("result"),
        StringField("duration_seconds", label="Seconds"),
        TextAreaField("output", exclude_from_list=True),
    ]


def _services() -> list[BaseField]:
    return [_id(), StringField("name", required=True), *_typed(SERVICE_TYPES), _enabled(), _changed()]


def _grants() -> list[BaseField]:
    subjects = choices.words(("everyone", "everyone"), ("role", "a role"), ("user", "a user"))
    return [
        _id(),
        ChoiceField("effect", loader=choices.words(("allow", "allow"), ("deny", "deny")), required=True),
        ChoiceField("permission", loader=choices.permissions, required=True),
        ChoiceField(
            "scope",
            loader=choices.scopes,
            required=True,
            help_text="What it is about. A source covers also what actions do to it",
        ),
        ChoiceField("subject_type", label="For", loader=subjects, default="everyone", required=True),
        StringField(
            "subject_id", label="Id of role or user", help_text="Discord: right click, Copy ID (developer mode)"
        ),
        ChoiceField("guild_id", label="Server", loader=choices.guilds, help_text="Empty: in every server"),
        _changed(),
    ]


def _settings() -> list[BaseField]:
    return [
        StringField("key", required=True, exclude_from_edit=True),
        JsonText("value", rows=4, default=None, help_text='Any JSON: 5, "text", true, {"a": 1}'),
        StringField("description"),
        _changed(),
    ]


def _guilds() -> list[BaseField]:
    return [
        StringField("name"),
        StringField("id", label="Id", exclude_from_edit=True),
        StringField("time_zone", help_text="Its dashboards show dates and times in this zone, such as Europe/Berlin"),
        StringField("locale", help_text="Its dashboards write numbers, money and dates as there, such as en or de-DE"),
        ChoiceField(
            "temperature_unit",
            help_text="Its dashboards show temperatures in this unit",
            loader=choices.words(("celsius", "degrees Celsius (°C)"), ("fahrenheit", "degrees Fahrenheit (°F)")),
        ),
        _enabled(),
        DateTimeField("last_seen_at", label="Last seen", exclude_from_create=True, exclude_from_edit=True),
    ]


def _secrets() -> list[BaseField]:
    return [
        _id(),
        StringField("name", required=True),
        WriteOnlyField("value", help_text="Left empty, the stored value stays"),
        _changed(),
    ]


def _users() -> list[BaseField]:
    return [
        _id(),
        StringField("username", required=True),
        ChoiceField("role", loader=_ROLES, required=True),
        WriteOnlyField(
            "password", help_text="10 characters or more; a new one ends all sessions. Left empty, it stays"
        ),
        _enabled(),
        DateTimeField("last_login_at", label="Last login", exclude_from_create=True, exclude_from_edit=True),
    ]


def _component_types() -> list[BaseField]:
    return [
        StringField("title", help_text="The name that people read"),
        StringField("name", required=True, help_text="Letters, digits, - _ and .; components refer to it"),
        StringField("kind", exclude_from_create=True, exclude_from_edit=True),
        TextAreaField("description", rows=2, help_text="Shown above the form of a component of this type"),
        _enabled(),
        YamlText("config_schema", label="Parameters", rows=14, help_text=_PARAMETERS_HELP, default=_PARAMETERS),
        YamlText("definition", rows=20, help_text=_DEFINITION_HELP, default=_DEFINITION, sample="component-type"),
    ]


def _source_types() -> list[BaseField]:
    return [
        StringField("title", help_text="The name that people read"),
        StringField("name", required=True, help_text="Letters, digits, - _ and .; data sources refer to it"),
        StringField("kind", exclude_from_create=True, exclude_from_edit=True),
        TextAreaField("description", rows=2, help_text="Shown above the form of a source of this type"),
        _enabled(),
        YamlText("config_schema", label="Parameters", rows=14, help_text=_PARAMETERS_HELP, default=_SOURCE_PARAMETERS),
        YamlText("definition", rows=30, help_text=_REQUESTS_HELP, default=_REQUESTS, sample="source-type"),
    ]


def _audit() -> list[BaseField]:
    return [
        _id(),
        DateTimeField("at"),
        StringField("actor_name", label="Who"),
        StringField("actor_type", label="From"),
        StringField("action"),
        StringField("target"),
        StringField("outcome"),
        JsonText("detail"),
    ]

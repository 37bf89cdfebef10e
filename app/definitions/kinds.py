"""Every kind of record that the web admin manages: its table, its shape, who may change it, and what it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from app.definitions import inputs
from app.definitions.roles import Role
from app.shared.database import models


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. `shape` None: rows belong to the program and are read only.

    `types` is the table whose rows describe the `config` of each type. `guild` is the field that holds the server.
    `unique` names the field to blame for a duplicate.
    """

    name: str
    singular: str
    row: type[models.Base]
    shape: type[BaseModel] | None
    key: str = "id"
    unique: str = "name"
    types: type[models.Base] | None = None
    guild: str | None = None
    reader: Role = Role.VIEWER
    writer: Role = Role.EDITOR
    hidden: frozenset[str] = frozenset()
    own: tuple[tuple[str, str], ...] = ()
    """Columns that tell the rows that people make from those that come with the program, which are read only."""

    @property
    def form(self) -> type[BaseModel]:
        """The shape of a kind that can be entered. Raises TypeError for one that cannot."""
        if self.shape is None:
            raise TypeError(f"{self.name} are read only")
        return self.shape

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that can be entered."""
        return () if self.shape is None else tuple(self.shape.model_fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that may be shown."""
        return tuple(name for name in self.row.__mapper__.columns.keys() if name not in self.hidden)  # noqa: SIM118  # a mapping of SQLAlchemy's, not iterable by name

    @property
    def title_field(self) -> str:
        """The field that names a record for people."""
        return next((name for name in ("name", "username", "key", "permission") if name in self.columns), self.key)

    def is_own(self, row: Any) -> bool:
        """Whether a row was made by people, and may be changed by them."""
        return all(getattr(row, name) == value for name, value in self.own)

    def parse_key(self, text: str) -> Any:
        """The key's value in a path. Raises ValueError."""
        if self.row.__mapper__.columns[self.key].type.python_type is not int:
            if "\0" in text or text != text.encode(errors="replace").decode():
                raise ValueError("no such key")
            return text
        number = int(text) if text.isascii() and text.isdigit() else 0
        if not 0 < number <= inputs.MAX_ID:
            raise ValueError("no such key")
        return number


DASHBOARDS = Kind("dashboards", "dashboard", models.DashboardRow, inputs.DashboardInput, guild="guild_id")
COMPONENTS = Kind(
    "components", "component", models.DashboardComponentRow, inputs.ComponentInput, types=models.ComponentTypeRow
)
DATA_SOURCES = Kind(
    "data-sources", "data source", models.DataSourceRow, inputs.DataSourceInput, types=models.DataSourceTypeRow
)
SERVICES = Kind("services", "service", models.ServiceRow, inputs.ServiceInput, types=models.ServiceTypeRow)
COMMANDS = Kind("commands", "command", models.CommandRow, inputs.CommandInput, types=models.CommandTypeRow)
ACTIONS = Kind("actions", "action", models.ActionRow, inputs.ActionInput, types=models.ActionTypeRow)
PERMISSION_GRANTS = Kind(
    "permission-grants",
    "permission grant",
    models.PermissionGrantRow,
    inputs.PermissionGrantInput,
    guild="guild_id",
    writer=Role.ADMIN,
)
SETTINGS = Kind(
    "settings", "setting", models.SettingRow, inputs.SettingInput, key="key", unique="key", writer=Role.ADMIN
)
GUILDS = Kind("guilds", "guild", models.GuildRow, inputs.GuildInput, unique="id", guild="id")
SECRETS = Kind(
    "secrets",
    "secret",
    models.SecretRow,
    inputs.SecretInput,
    reader=Role.EDITOR,
    writer=Role.ADMIN,
    hidden=frozenset({"ciphertext"}),
)
USERS = Kind(
    "users",
    "user",
    models.UserRow,
    inputs.UserInput,
    unique="username",
    reader=Role.ADMIN,
    writer=Role.ADMIN,
    hidden=frozenset({"password_hash", "session_epoch"}),
)
COMPONENT_TYPES = Kind(
    "component-types",
    "component type",
    models.ComponentTypeRow,
    inputs.ComponentTypeInput,
    key="name",
    own=(("kind", "template"),),
)
DATA_SOURCE_TYPES = Kind(
    "data-source-types",
    "data source type",
    models.DataSourceTypeRow,
    inputs.DataSourceTypeInput,
    key="name",
    own=(("kind", "declarative"),),
)
SERVICE_TYPES = Kind("service-types", "service type", models.ServiceTypeRow, None, key="name")
COMMAND_TYPES = Kind("command-types", "command type", models.CommandTypeRow, None, key="name")
ACTION_TYPES = Kind("action-types", "action type", models.ActionTypeRow, None, key="name")
ACTION_RUNS = Kind(
    "action-runs",
    "action run",
    models.ActionRunRow,
    None,
    reader=Role.EDITOR,
    hidden=frozenset({"sealed", "actor", "concurrency_key"}),
)
AUDIT_LOG = Kind("audit-log", "audit entry", models.AuditEntryRow, None, reader=Role.EDITOR)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            DASHBOARDS,
            COMPONENTS,
            COMPONENT_TYPES,
            DATA_SOURCES,
            DATA_SOURCE_TYPES,
            SERVICES,
            SERVICE_TYPES,
            COMMANDS,
            COMMAND_TYPES,
            ACTIONS,
            ACTION_TYPES,
            ACTION_RUNS,
            PERMISSION_GRANTS,
            SETTINGS,
            GUILDS,
            SECRETS,
            USERS,
            AUDIT_LOG,
        )
    }
)
"""Every kind by its name in addresses."""

"""The sections of a file: which records each holds, under which names its fields go, and what tells records apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.definitions import kinds
from app.definitions.catalog import SEEDED_SETTING, comes_along
from app.definitions.kinds import Kind

EVERYWHERE = "*"
"""As the server of a permission grant: it holds in every server."""
_OWN_SETTINGS = frozenset({SEEDED_SETTING})
"""Settings in which the program remembers something: no file has them."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One list of a file.

    `identity`: the record's fields that say which one it is; no file may have two that are alike there. `renamed`:
    the file's name of a record's field, where it is another. `left_out`: fields of the record that no file holds.
    """

    name: str
    kind: Kind
    identity: tuple[str, ...] = ("name",)
    renamed: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    @property
    def fields(self) -> dict[str, str]:
        """The record's field by the name that it has in files."""
        return {self.renamed.get(field, field): field for field in self.kind.fields if field not in self.left_out}

    @property
    def of_guilds(self) -> bool:
        """True where each record belongs to a server."""
        return "guild_id" in self.renamed

    def file_field(self, path: str) -> str:
        """Return the path of a record's field, by the names that files have."""
        first, dot, rest = path.partition(".")
        return f"{self.renamed.get(first, first)}{dot}{rest}"

    def manages(self, row: Any) -> bool:
        """Tell whether files manage this row, or the program does."""
        if self.kind is kinds.SETTINGS and row.key in _OWN_SETTINGS:
            return False
        return self.kind.is_own(row)

    def comes_along(self, row: Any) -> bool:
        """Tell whether a row came with the program and is unchanged: files leave it out, and never remove it."""
        return comes_along(self.kind.row.__tablename__, row)

    def subject(self, values: Mapping[str, Any]) -> str:
        """Return the name of a record in plans and errors; values may be missing."""
        if self.kind is kinds.PERMISSION_GRANTS:
            whom = " ".join(str(values[name]) for name in ("subject_type", "subject_id") if values.get(name))
            said = [values.get("effect", "allow"), values.get("permission", "?"), "on", values.get("scope", "*")]
            return f"permission grant: {' '.join(str(word) for word in said)} to {whom or '?'}"
        if self.kind is kinds.COMPONENTS:
            name = values.get("name")
            return f"{values.get('type') or 'component'}{f' “{name}”' if name else ''}"
        name = values.get("name") or values.get(self.identity[0])
        return f"{self.kind.singular} “{name}”" if name else f"{self.kind.singular} without a name"


GUILDS = Section("guilds", kinds.GUILDS, identity=("id",))
SETTINGS = Section("settings", kinds.SETTINGS, identity=("key",))
COMPONENT_TYPES = Section("component_types", kinds.COMPONENT_TYPES)
DATA_SOURCE_TYPES = Section("data_source_types", kinds.DATA_SOURCE_TYPES)
DATA_SOURCES = Section("data_sources", kinds.DATA_SOURCES)
SERVICES = Section("services", kinds.SERVICES)
ACTIONS = Section("actions", kinds.ACTIONS)
COMMANDS = Section("commands", kinds.COMMANDS)
PERMISSION_GRANTS = Section(
    "permission_grants",
    kinds.PERMISSION_GRANTS,
    identity=("guild_id", "subject_type", "subject_id", "permission", "scope", "effect"),
    renamed=MappingProxyType({"guild_id": "guild"}),
)
DASHBOARDS = Section(
    "dashboards",
    kinds.DASHBOARDS,
    identity=("guild_id", "name"),
    renamed=MappingProxyType({"guild_id": "guild", "channel_id": "channel"}),
)
COMPONENTS = Section(
    "components",
    kinds.COMPONENTS,
    identity=(),
    left_out=frozenset({"dashboard_id", "position"}),
)
"""Not a section of its own: the list `components` of each dashboard, in the order in which they are shown."""

SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        section.name: section
        for section in (
            GUILDS,
            SETTINGS,
            COMPONENT_TYPES,
            DATA_SOURCE_TYPES,
            DATA_SOURCES,
            SERVICES,
            ACTIONS,
            COMMANDS,
            DASHBOARDS,
            PERMISSION_GRANTS,
        )
    }
)
"""Every section by its name, each after those that it refers to."""
NAMED_COMPONENTS = "components"
NEEDED_SECRETS = "secrets"

"""The sections of a file: which records each holds, and under which names their fields go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.definitions.catalog import comes_along
from app.definitions.kinds import KINDS, parts_of
from app.definitions.kinds.base import FileSection, RecordKind

EVERYWHERE = "*"
"""As the server of a permission grant: it holds in every server."""
NEEDED_SECRETS = "secrets"


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One list of a file, with the records of one kind; `parts` is the list of other records in each of them."""

    kind: RecordKind
    file: FileSection
    parts: Section | None = None

    @property
    def name(self) -> str:
        """The field that holds the list."""
        return self.file.name

    @property
    def identity(self) -> tuple[str, ...]:
        """The record's fields that say which one it is; no file may have two that are alike there."""
        return self.file.identity

    @property
    def fields(self) -> dict[str, str]:
        """The record's field by the name that it has in files."""
        renamed = self.file.renamed
        return {renamed.get(name, name): name for name in self.kind.fields if name not in self.file.left_out}

    @property
    def of_guilds(self) -> bool:
        """True where each record belongs to a server."""
        return "guild_id" in self.file.renamed

    def file_field(self, path: str) -> str:
        """Return the path of a record's field, by the names that files have."""
        first, dot, rest = path.partition(".")
        return f"{self.file.renamed.get(first, first)}{dot}{rest}"

    def comes_along(self, row: Any) -> bool:
        """Tell whether a row came with the program and is unchanged: files leave it out, and never remove it."""
        return comes_along(self.kind.row.__tablename__, row)


def _section(kind: RecordKind, file: FileSection) -> Section:
    part = parts_of(kind)
    inner = part.section if part is not None else None
    if part is None or inner is None or inner.order is not None:
        return Section(kind, file)
    return Section(kind, file, _section(part, inner))


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        file.name: _section(kind, file)
        for _, file, kind in sorted(
            (
                (kind.section.order, kind.section, kind)
                for kind in KINDS.values()
                if kind.section is not None and kind.section.order is not None
            ),
            key=lambda found: found[0],
        )
    }
)
"""Every section by its name, each after those that it refers to."""
SECTIONS_BY_TABLE: Mapping[str, Section] = MappingProxyType(
    {section.kind.row.__tablename__: section for section in SECTIONS.values()}
)
GUILDS = SECTIONS["guilds"]
DASHBOARDS = SECTIONS["dashboards"]

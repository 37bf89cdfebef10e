"""Every kind of record that can be managed, one file each; a file of this package is all that registers a kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.bot.domain.registry import import_modules
from app.definitions.kinds.base import RecordKind, registry

import_modules(__name__)
KINDS: Mapping[str, RecordKind] = MappingProxyType(dict(registry.items()))
"""Every kind by its name in addresses."""
KINDS_BY_TABLE: Mapping[str, RecordKind] = MappingProxyType({kind.row.__tablename__: kind for kind in KINDS.values()})


def parts_of(kind: RecordKind) -> RecordKind | None:
    """Return the kind whose records are deleted with a record of this one; revisions keep its key as their parent's."""
    return next((part for part in KINDS.values() if part.part_of == kind.name), None)

"""What a kind of record is: its table, its input model, who may change it, and how it behaves where kinds differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.bot.domain.registry import Registry
from app.definitions.component_templates import ComponentTemplateChecks
from app.definitions.errors import FieldError
from app.definitions.inputs import MAX_ID
from app.definitions.passwords import Passwords
from app.definitions.roles import Role
from app.shared.database.models import Base
from app.shared.secrets import SecretBox


@dataclass(frozen=True, slots=True)
class Checking:
    """What the checks of a kind may ask. `models` are the config models of the kind's types, by type."""

    database: AsyncSession
    models: Mapping[str, type[BaseModel]]
    component_templates: ComponentTemplateChecks


@dataclass(frozen=True, slots=True)
class Keeping:
    """What turns write-only values into the columns that keep them."""

    secret_box: SecretBox
    passwords: Passwords


@dataclass(frozen=True, slots=True)
class FileSection:
    """How files hold the records of a kind.

    Sections are read in the order of `order`, each after those that it refers to; None is no section of its own but a
    list in each record that the kind is part of. `identity` are the fields that say which record an entry is. `renamed`
    is the file's name of a field, where it is another. `left_out` are fields that no file holds. `in_subject` are
    fields that the record's name in plans holds already. `kept_from_row` are fields that the bot keeps up to date once
    there is a row. `everywhere`: `*` as the server means every server. `removable`: pruning may delete records.
    """

    name: str
    order: int | None = None
    identity: tuple[str, ...] = ("name",)
    renamed: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    in_subject: tuple[str, ...] = ()
    kept_from_row: tuple[str, ...] = ()
    everywhere: bool = False
    removable: bool = True


class RecordKind:
    """Base of the kinds; a kind overrides what is different about it. `shape` None: its rows are read only."""

    name: ClassVar[str]
    """In addresses, such as data-sources."""
    singular: ClassVar[str]
    row: ClassVar[type[Base]]
    shape: ClassVar[type[BaseModel] | None] = None
    key: ClassVar[str] = "id"
    unique: ClassVar[str] = "name"
    """The field to blame for a duplicate."""
    types: ClassVar[type[Base] | None] = None
    """The table whose rows describe the `config` of each type."""
    guild: ClassVar[str | None] = None
    """The field that holds the server."""
    reader: ClassVar[Role] = Role.VIEWER
    writer: ClassVar[Role] = Role.EDITOR
    hidden: ClassVar[frozenset[str]] = frozenset()
    """Columns that are never shown."""
    write_only: ClassVar[Mapping[str, str]] = {}
    """Fields that do not come back, by the column that keeps what is made of them."""
    bookkeeping: ClassVar[frozenset[str]] = frozenset()
    """Columns that the audit log leaves out."""
    own: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Columns that tell the rows that people make from those that come with the program, which are read only."""
    part_of: ClassVar[str | None] = None
    """The kind of the record that this one is deleted and restored with."""
    listed_by: ClassVar[tuple[str, ...]] = ()
    """The order of lists; by default that of the keys."""
    in_api: ClassVar[bool] = True
    takes_variables: ClassVar[bool] = False
    """Values of a config may be placeholders, which are known only when a dashboard is built."""
    made_of_its_own: ClassVar[bool] = False
    """Records may consist of others of their kind."""
    section: ClassVar[FileSection | None] = None

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
    def write_only_fields(self) -> frozenset[str]:
        """Names of the fields that go in and never come back."""
        return frozenset(self.write_only.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that may be shown."""
        return tuple(name for name in self.row.__mapper__.columns.keys() if name not in self.hidden)  # noqa: SIM118  # a mapping of SQLAlchemy's, not iterable by name

    @property
    def title_field(self) -> str:
        """The field that names a record for people."""
        return next((name for name in ("name", "username", "key", "permission") if name in self.columns), self.key)

    def is_own(self, row: Any) -> bool:
        """Return True for a row that was made by people, and may be changed by them."""
        return all(getattr(row, name) == value for name, value in self.own)

    def parse_key(self, text: str) -> Any:
        """Return the key's value in a path. Raises ValueError."""
        if self.row.__mapper__.columns[self.key].type.python_type is not int:
            if "\0" in text or text != text.encode(errors="replace").decode():
                raise ValueError("no such key")
            return text
        number = int(text) if text.isascii() and text.isdigit() else 0
        if not 0 < number <= MAX_ID:
            raise ValueError("no such key")
        return number

    # Checking and saving

    async def config_errors(self, checking: Checking, values: Mapping[str, Any]) -> list[FieldError]:
        """Return what is wrong with the config of a record; the other values may be wrong too."""
        return []

    async def errors(self, checking: Checking, values: Mapping[str, Any], existing: Any) -> list[FieldError]:
        """Return what else is wrong with values that fit the shape; `existing` is the row before the change."""
        return []

    async def require_unused(self, database: AsyncSession, row: Any, what: str) -> None:
        """Raise InvalidRecordError where a row cannot be `what` (deleted, renamed) because others refer to it."""

    async def complete(self, database: AsyncSession, values: dict[str, Any], existing: Any) -> None:
        """Put in what the program chooses where it was left empty."""

    async def stored(self, values: Mapping[str, Any], existing: Any, keeping: Keeping) -> dict[str, Any]:
        """Return the columns of the row: write-only values become what is kept of them."""
        return dict(values)

    def entered(self, row: Any) -> dict[str, Any]:
        """Return the row's fields as they were entered."""
        return {name: getattr(row, name) for name in self.fields if name in self.columns}

    # Showing

    def masked_as(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the name that says how secret a column is, by column, where that is not the column's own name."""
        return {}

    def subject(self, values: Mapping[str, Any]) -> str:
        """Return the name of a record in plans and errors; values may be missing."""
        first = self.section.identity[0] if self.section is not None and self.section.identity else self.key
        name = values.get("name") or values.get(first)
        return f"{self.singular} “{name}”" if name else f"{self.singular} without a name"

    def is_in_files(self, row: Any) -> bool:
        """Return True where files manage this row, False where the program does."""
        return self.is_own(row)

    def page(self, key: Any) -> str | None:
        """Return the address of a record's own page, or None where the forms are all that there is."""
        return None

    def history(self, key: Any) -> dict[str, Any]:
        """Return the filter that finds the revisions of a record."""
        return {"kind": self.name, "key": key}


SomeKind = TypeVar("SomeKind", bound=RecordKind)
registry: Registry[RecordKind] = Registry("kind of record")


def register(kind: type[SomeKind]) -> SomeKind:
    """Return the one object of a kind, known by its name from now on. Raises DuplicateTypeError."""
    return registry.register(kind.name)(kind())

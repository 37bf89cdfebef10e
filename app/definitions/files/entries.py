"""Entries of files, and the records that they make: every field with a value, servers and channels by their ids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.files.documents import GUILD, INCLUDE, Document
from app.definitions.files.problems import Problem
from app.definitions.files.sections import EVERYWHERE, GUILDS, NEEDED_SECRETS, SECTIONS, Section
from app.definitions.inputs import MAX_ID
from app.definitions.kinds.base import RecordKind
from app.shared.database.models import ChannelRow, GuildRow
from app.shared.yaml import Node, Place

_TOP = (INCLUDE, GUILD, NEEDED_SECRETS, *SECTIONS)
_ID = re.compile(r"[0-9]{5,20}")
_MOST_NAMED = 10
_ANY_ID = 1
"""Stands for a server that was not found, so that the rest of a record can be checked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of a file. `components` None: the file says nothing about them, so they stay as they are."""

    section: Section
    node: Node
    document: Document
    components: tuple[Entry, ...] | None = None
    parent: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the file, by the record's names of the fields."""
        fields = self.section.fields
        return {fields[name]: node.data() for name, node in self.node.fields.items() if name in fields}

    @property
    def subject(self) -> str:
        """The name of the entry in plans and errors."""
        own = self.section.kind.subject(self.values)
        return f"{self.parent} › {own}" if self.parent else own

    def problem(self, path: str, message: str) -> Problem:
        """Make a problem of a field, which has its name of the record."""
        path = self.section.file_field(path)
        return Problem(self.node.find(path), message, path, self.subject)


@dataclass(slots=True)
class Entries:
    """All entries by section, and which servers' records the files are about."""

    by_section: dict[Section, list[Entry]] = field(default_factory=dict)
    scopes: dict[Section, list[Node]] = field(default_factory=dict)
    """For each section that belongs to servers, the servers that stand at the top of files which have the section."""
    places: dict[Section, Place] = field(default_factory=dict)
    """The first place of each section."""
    secrets: set[str] = field(default_factory=set)
    """Names of the secrets that files list."""


def read_entries(documents: Iterable[Document], problems: list[Problem]) -> Entries:
    """Return the entries of all documents. What is no entry goes to `problems`."""
    entries = Entries()
    for document in documents:
        _check_names(document.root, _TOP, "section", problems)
        for name, section in SECTIONS.items():
            if name in document.root.fields:
                found = entries.by_section.setdefault(section, [])
                entries.places.setdefault(section, document.root.fields[name].place)
                found += _listed(section, document.root.fields[name], document, problems)
                if section.of_guilds and document.guild is not None:
                    entries.scopes.setdefault(section, []).append(document.guild)
        entries.secrets |= set(_secrets(document.root.fields.get(NEEDED_SECRETS), problems))
    return entries


def _listed(
    section: Section, listed: Node, document: Document, problems: list[Problem], *, parent: str = ""
) -> Iterator[Entry]:
    path = section.name
    if listed.value is not None and not isinstance(listed.value, tuple):
        problems.append(Problem(listed.place, "must be a list; begin each entry with a dash", path, parent))
    for index, node in enumerate(listed.items):
        if isinstance(node.value, Mapping):
            yield _entry(section, node, document, problems, parent)
        else:
            problems.append(Problem(node.place, "must be a mapping, such as name: …", f"{path}.{index}", parent))


def _entry(section: Section, node: Node, document: Document, problems: list[Problem], parent: str) -> Entry:
    entry = Entry(section, node, document, parent=parent)
    parts = section.parts
    more = (parts.name,) if parts is not None else ()
    _check_names(node, (*section.fields, *more), "field", problems, subject=entry.subject)
    if parts is None or parts.name not in node.fields:
        return entry
    listed = _listed(parts, node.fields[parts.name], document, problems, parent=entry.subject)
    return Entry(section, node, document, tuple(listed))


def _check_names(node: Node, known: tuple[str, ...], what: str, problems: list[Problem], *, subject: str = "") -> None:
    for name, value in node.fields.items():
        if name not in known and not (what == "section" and name.startswith("x-")):
            near = get_close_matches(name, known, 1)
            hint = f"did you mean “{near[0]}”?" if near else f"known: {', '.join(known)}"
            problems.append(Problem(value.place, f"no such {what}; {hint}", name, subject))


def _secrets(node: Node | None, problems: list[Problem]) -> Iterator[str]:
    if node is None or node.value is None:
        return
    if not isinstance(node.value, tuple):
        problems.append(Problem(node.place, "must be a list of names of secrets", NEEDED_SECRETS))
    for item in node.items:
        if isinstance(item.value, str):
            yield item.value
        else:
            problems.append(Problem(item.place, "must be the name of a secret, never its value", NEEDED_SECRETS))


class UnknownNameError(Exception):
    """There is no server or channel of this name, or more than one; the text says what to do."""


class Names:
    """Ids by name, of servers, or of the channels of one server."""

    def __init__(self, what: str, known: Iterable[tuple[int, str]]) -> None:
        self._what = what
        self._ids: defaultdict[str, set[int]] = defaultdict(set)
        for number, name in known:
            if name:
                self._ids[name].add(number)

    def find(self, value: Any) -> int:
        """Return the id of a name. An id is believed as it is. Raises UnknownNameError."""
        text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
        if _ID.fullmatch(text):
            if 0 < int(text) <= MAX_ID:
                return int(text)
            raise UnknownNameError("is no id of Discord's")
        if not text:
            raise UnknownNameError(f"must be the name or the id of a {self._what}")
        found = self._ids.get(text) or self._ids.get(text.removeprefix("#")) or set()
        if len(found) == 1:
            return next(iter(found))
        if found:
            ids = ", ".join(str(number) for number in sorted(found))
            raise UnknownNameError(f"“{text}” is the name of several {self._what}s; give the id: {ids}")
        known = sorted(self._ids)[:_MOST_NAMED]
        there = f"known: {', '.join(known)}" if known else "none is known yet, the bot adds them when it sees them"
        raise UnknownNameError(f"there is no {self._what} “{text[:100]}”; {there}; or give the id")

    def name_of(self, number: int) -> str | None:
        """Return the name that means this id and no other; None where there is none."""
        name = next((name for name, ids in self._ids.items() if ids == {number}), None)
        usable = name is not None and name == name.strip() and not _ID.fullmatch(name) and name != "*"
        return name if usable else None


@dataclass(frozen=True, slots=True)
class Record:
    """An entry with every field that its kind has. `reported`: fields whose problems were reported already.

    `usable` False: it cannot be saved, only be checked for more that is wrong.
    """

    entry: Entry
    values: dict[str, Any]
    usable: bool
    reported: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[Any, ...]:
        """The values that tell it from others of its section."""
        return tuple(self.values[name] for name in self.entry.section.identity)


class Resolver:
    """Makes records of entries, with what the database and the files say of servers and channels."""

    def __init__(
        self, guilds: Iterable[tuple[int, str]], channels: Iterable[tuple[int, int, str]], entries: Entries
    ) -> None:
        declared, guilds = list(_declared(entries)), list(guilds)
        self._numbers = frozenset(number for number, _ in guilds)
        self.declared_guilds = frozenset(number for number, _ in declared)
        self._guilds = Names("server", [*guilds, *declared])
        by_guild: dict[int, list[tuple[int, str]]] = {}
        for guild, number, name in channels:
            by_guild.setdefault(guild, []).append((number, name))
        self._channels = {guild: Names("channel", known) for guild, known in by_guild.items()}

    def guild_name(self, number: int) -> str:
        """Return the name of a server, or its id."""
        return self._guilds.name_of(number) or str(number)

    def known_guild(self, value: str | int) -> int:
        """Return the server of this id or name that is in the database. Raises UnknownNameError."""
        number = self._guilds.find(value)
        if number not in self._numbers:
            raise UnknownNameError(f"there is no server {number} in the database")
        return number

    def guild(self, node: Node) -> int:
        """Return the server that a node names. Raises UnknownNameError."""
        return self._guilds.find(node.value)

    def record(self, entry: Entry, problems: list[Problem], **fixed: Any) -> Record:
        """Make the record; `fixed` are values that no file has. What is wrong with names goes to `problems`."""
        section, kind = entry.section, entry.section.kind
        values = {**defaults(kind), **entry.values, **fixed}
        reported = self._fill_places(entry, values, problems) if section.of_guilds else frozenset[str]()
        try:
            parsed = kind.form.model_validate(values)
        except (ValidationError, RecursionError):
            return Record(entry, values, usable=False, reported=reported)
        return Record(
            entry, {name: getattr(parsed, name) for name in kind.fields}, usable=not reported, reported=reported
        )

    def _fill_places(self, entry: Entry, values: dict[str, Any], problems: list[Problem]) -> frozenset[str]:
        """Put the ids of server and channel into `values`. Return the fields whose names were not found."""
        reported = set()
        if entry.document.place is not None:
            values["guild_id"], values["channel_id"] = entry.document.place
            return frozenset()
        try:
            values["guild_id"] = self._guild_of(entry)
        except UnknownNameError as error:
            problems.append(entry.problem("guild_id", str(error)))
            values["guild_id"] = _ANY_ID
            reported.add("guild_id")
        if values.get("channel_id") is not None:
            try:
                none = Names("channel", ())
                known = none if reported else self._channels.get(values["guild_id"], none)
                values["channel_id"] = known.find(values["channel_id"])
            except UnknownNameError as error:
                if not reported:
                    problems.append(entry.problem("channel_id", str(error)))
                values["channel_id"] = None
                reported.add("channel_id")
        return frozenset(reported)

    def _guild_of(self, entry: Entry) -> int | None:
        """Return the server of an entry; None is everywhere. Raises UnknownNameError."""
        node = entry.node.fields.get("guild") or entry.document.guild
        if node is not None and entry.section.file.everywhere and node.value == EVERYWHERE:
            return None
        if node is None:
            everywhere = f"; or write “{EVERYWHERE}” for every server" if entry.section.file.everywhere else ""
            raise UnknownNameError(f"is missing; name the server here, or at the top of the file{everywhere}")
        return self._guilds.find(node.value)


async def read_resolver(database: AsyncSession, entries: Entries) -> Resolver:
    """Make a resolver that knows the database's servers and channels, and the servers of the files."""
    guilds = (await database.execute(select(GuildRow.id, GuildRow.name))).all()
    channels = (await database.execute(select(ChannelRow.guild_id, ChannelRow.id, ChannelRow.name))).all()
    return Resolver(guilds, channels, entries)


def defaults(kind: RecordKind) -> dict[str, Any]:
    """Return the value of each field that may be left out."""
    fields = kind.form.model_fields
    return {
        name: field.get_default(call_default_factory=True) for name, field in fields.items() if not field.is_required()
    }


def readable(name: str, value: Any) -> Any:
    """Return ids of Discord as text, which no program rounds; whole numbers without a fraction."""
    if name == "id" or name.endswith("_id"):
        return None if value is None else str(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _declared(entries: Entries) -> Iterable[tuple[int, str]]:
    """Yield id and name of each server that the files define."""
    for entry in entries.by_section.get(GUILDS, ()):
        number = str(entry.values.get("id")).strip()
        if number.isascii() and number.isdigit() and 0 < int(number[:20]) <= MAX_ID:
            name = entry.values.get("name")
            yield int(number), name.strip() if isinstance(name, str) else ""

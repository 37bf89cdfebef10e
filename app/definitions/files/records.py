"""Entries as records: every field with a value, servers and channels by their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.definitions.files.entries import Entries, Entry
from app.definitions.files.guilds import Names, UnknownNameError
from app.definitions.files.problems import Problem
from app.definitions.files.sections import EVERYWHERE, GUILDS, PERMISSION_GRANTS
from app.definitions.inputs import MAX_ID
from app.definitions.kinds import Kind
from app.shared.database.models import ChannelRow, GuildRow
from app.shared.yaml import Node

_ANY_ID = 1


@dataclass(frozen=True, slots=True)
class Record:
    """An entry with every field that its kind has. `told`: fields whose problems were reported already.

    `usable` False: it cannot be saved, only be checked for more that is wrong.
    """

    entry: Entry
    values: dict[str, Any]
    usable: bool
    told: frozenset[str] = frozenset()

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from others of its section."""
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
        """What people call a server."""
        return self._guilds.name_of(number) or str(number)

    def known_guild(self, value: str | int) -> int:
        """The server of this id or name that is in the database. Raises UnknownNameError."""
        number = self._guilds.find(value)
        if number not in self._numbers:
            raise UnknownNameError(f"there is no server {number} in the database")
        return number

    def guild(self, node: Node) -> int:
        """The server that a node names. Raises UnknownNameError."""
        return self._guilds.find(node.value)

    def record(self, entry: Entry, problems: list[Problem], **fixed: Any) -> Record:
        """The record; `fixed` are values that no file has. What is wrong with names goes to `problems`."""
        section, kind = entry.section, entry.section.kind
        values = {**defaults(kind), **entry.values, **fixed}
        told = self._fill_places(entry, values, problems) if section.of_guilds else frozenset[str]()
        try:
            parsed = kind.form.model_validate(values)
        except (ValidationError, RecursionError):
            return Record(entry, values, usable=False, told=told)
        return Record(entry, {name: getattr(parsed, name) for name in kind.fields}, usable=not told, told=told)

    def _fill_places(self, entry: Entry, values: dict[str, Any], problems: list[Problem]) -> frozenset[str]:
        """Put the ids of server and channel into `values`; the names of those that were not found."""
        told = set()
        if entry.document.place is not None:
            values["guild_id"], values["channel_id"] = entry.document.place
            return frozenset()
        try:
            values["guild_id"] = self._guild_of(entry)
        except UnknownNameError as error:
            problems.append(entry.problem("guild_id", str(error)))
            values["guild_id"] = _ANY_ID
            told.add("guild_id")
        if values.get("channel_id") is not None:
            try:
                known = Names("channel", ()) if told else self._channels.get(values["guild_id"], Names("channel", ()))
                values["channel_id"] = known.find(values["channel_id"])
            except UnknownNameError as error:
                if not told:
                    problems.append(entry.problem("channel_id", str(error)))
                values["channel_id"] = None
                told.add("channel_id")
        return frozenset(told)

    def _guild_of(self, entry: Entry) -> int | None:
        """The server of an entry; None is everywhere. Raises UnknownNameError."""
        node = entry.node.fields.get("guild") or entry.document.guild
        is_grant = entry.section is PERMISSION_GRANTS
        if node is not None and is_grant and node.value == EVERYWHERE:
            return None
        if node is None:
            everywhere = f"; or write “{EVERYWHERE}” for every server" if is_grant else ""
            raise UnknownNameError(f"is missing; name the server here, or at the top of the file{everywhere}")
        return self._guilds.find(node.value)


async def read_resolver(database: AsyncSession, entries: Entries) -> Resolver:
    """A resolver that knows the database's servers and channels, and the servers of the files."""
    guilds = (await database.execute(select(GuildRow.id, GuildRow.name))).all()
    channels = (await database.execute(select(ChannelRow.guild_id, ChannelRow.id, ChannelRow.name))).all()
    return Resolver(guilds, channels, entries)


def defaults(kind: Kind) -> dict[str, Any]:
    """The value of each field that may be left out."""
    fields = kind.form.model_fields
    return {
        name: field.get_default(call_default_factory=True) for name, field in fields.items() if not field.is_required()
    }


def readable(name: str, value: Any) -> Any:
    """Ids of Discord as text, which no program rounds; whole numbers without a fraction."""
    if name == "id" or name.endswith("_id"):
        return None if value is None else str(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _declared(entries: Entries) -> Iterable[tuple[int, str]]:
    """Id and name of each server that the files define."""
    for entry in entries.by_section.get(GUILDS, ()):
        number = str(entry.values.get("id")).strip()
        if number.isascii() and number.isdigit() and 0 < int(number[:20]) <= MAX_ID:
            name = entry.values.get("name")
            yield int(number), name.strip() if isinstance(name, str) else ""

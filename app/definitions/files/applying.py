"""Makes the rows of a database what documents say, in one transaction that is not beside anybody else's changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.definitions.acting import act_as
from app.definitions.actors import WebActor
from app.definitions.errors import DuplicateRecordError, FieldError, InvalidRecordError
from app.definitions.files.documents import Document
from app.definitions.files.entries import (
    Entry,
    Record,
    UnknownNameError,
    defaults,
    read_entries,
    read_resolver,
    readable,
)
from app.definitions.files.matching import keeping_order, match_components, positions
from app.definitions.files.plan import Change, Plan, Verb, hidden_differences
from app.definitions.files.problems import ConfigurationError, MeanwhileChangedError, Problem
from app.definitions.files.references import missing_secrets, types_in_order
from app.definitions.files.sections import SECTIONS, SECTIONS_BY_TABLE, Section
from app.definitions.store import RecordStore
from app.shared.database.models import DashboardComponentRow
from app.shared.differences import Difference, same

_ATTEMPTS = 5
_COLLISIONS = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: what to do about either is to do it again."""
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('homelab.apply'))")


async def apply_documents(
    sessions: async_sessionmaker[AsyncSession],
    store: RecordStore,
    actor: WebActor,
    documents: Sequence[Document],
    *,
    prune: bool = False,
    dry_run: bool = False,
    expected: Plan | None = None,
) -> Plan:
    """Apply the documents and return what changed; a dry run does all but keep it.

    Raises ConfigurationError with every problem, and MeanwhileChangedError when others change the same all the time,
    or the plan is not the `expected` one anymore. Nothing is changed then.
    """
    for _ in range(_ATTEMPTS):
        try:
            async with sessions() as database:
                await database.connection(execution_options={"isolation_level": "SERIALIZABLE"})
                await database.execute(LOCK)
                await act_as(database, actor)
                plan = await Applying(database, store, actor, prune=prune).run(documents)
                if expected is not None and plan != expected:
                    break
                if plan.changes and not dry_run:
                    await database.commit()
                return plan
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") not in _COLLISIONS:
                raise
    raise MeanwhileChangedError(
        "Someone else changed definitions at the same time, so nothing was changed here. Look at the plan again."
    )


class Applying:
    """One application of documents; the caller has the transaction, and rolls it back after an error.

    `chosen` tells which records are saved, by the record and the row that it would change.
    """

    def __init__(
        self,
        database: AsyncSession,
        store: RecordStore,
        actor: WebActor,
        *,
        prune: bool = False,
        chosen: Callable[[Record, Any], bool] = lambda _record, _row: True,
    ) -> None:
        self._database = database
        self._store = store
        self._actor = actor
        self._prune = prune
        self._chosen = chosen
        self.problems: list[Problem] = []
        self._changes: list[Change] = []
        self._prunable: list[Change] = []
        self._unchanged = 0

    async def run(self, documents: Sequence[Document]) -> Plan:
        """Save what the documents say, and tell what changed. Raises ConfigurationError with all that is wrong."""
        await self._leave_or_remove_all(await self.save(documents))
        missing = await missing_secrets(self._database, self._entries)
        if self.problems:
            raise ConfigurationError(self.problems)
        return Plan(tuple(self._changes), tuple(self._prunable), self._unchanged, missing)

    async def save(self, documents: Sequence[Document]) -> list[tuple[Section, Any]]:
        """Save what can be saved; `problems` has the rest. Return the rows that no file has."""
        self._entries = read_entries(documents, self.problems)
        self._resolver = await read_resolver(self._database, self._entries)
        left: list[tuple[Section, Any]] = []
        for section in SECTIONS.values():
            if section in self._entries.by_section:
                left += await self._section(section, self._entries.by_section[section])
        return left

    async def _section(self, section: Section, entries: Sequence[Entry]) -> list[tuple[Section, Any]]:
        """Save the entries of a section. Return its rows that no file has, and that the files are about."""
        if section.kind.made_of_its_own:
            entries = types_in_order(entries, self.problems)
        records = [self._resolver.record(entry, self.problems) for entry in entries]
        rows = await self._rows(section)
        known: dict[tuple[Any, ...], Record] = {}
        saved: list[tuple[Record, Any]] = []
        for record in records:
            if record.usable and self._is_first(record, known):
                row = rows.pop(record.key, None)
                if self._chosen(record, row):
                    saved.append((record, await self._save(record, row)))
            else:
                await self._check(record)
                saved.append((record, None))
        if section.parts is not None:
            await self._components(section.parts, saved)
        return [(section, row) for key, row in rows.items() if self._is_meant(section, row, records)]

    def _is_first(self, record: Record, known: dict[tuple[Any, ...], Record]) -> bool:
        first = known.setdefault(record.key, record)
        if first is not record:
            text = f"is there twice, first in {first.entry.node.place}; keep one"
            self.problems.append(record.entry.problem(record.entry.section.identity[-1], text))
        return first is record

    async def _rows(self, section: Section) -> dict[tuple[Any, ...], Any]:
        """Return the rows that files manage, by key; of rows alike, the later keys end with a number."""
        columns = section.kind.row.__mapper__.columns
        found = await self._database.scalars(select(section.kind.row).order_by(columns[section.kind.key]))
        rows: dict[tuple[Any, ...], Any] = {}
        for row in found:
            if section.kind.is_in_files(row):
                key = tuple(getattr(row, name) for name in section.identity)
                rows[key if key not in rows else (*key, getattr(row, section.kind.key))] = row
        return rows

    def _is_meant(self, section: Section, row: Any, records: Iterable[Record]) -> bool:
        """Tell whether the files are about a row that they lack: of their sections and servers, never a server."""
        if not section.file.removable or section.comes_along(row):
            return False
        if not section.of_guilds:
            return True
        meant = {record.values["guild_id"] for record in records if "guild_id" not in record.reported}
        for node in self._entries.scopes.get(section, ()):
            try:
                meant.add(self._resolver.guild(node))
            except UnknownNameError as error:
                self.problems.append(Problem(node.place, str(error), "guild"))
        return row.guild_id in meant

    # Components of dashboards

    async def _components(self, section: Section, saved: Sequence[tuple[Record, Any]]) -> None:
        ids = [row.id for _, row in saved if row is not None]
        rows: dict[int, list[DashboardComponentRow]] = {}
        columns = DashboardComponentRow
        statement = select(columns).where(columns.dashboard_id.in_(ids)).order_by(columns.position, columns.id)
        for component in await self._database.scalars(statement):
            rows.setdefault(component.dashboard_id, []).append(component)
        for record, dashboard in saved:
            if record.entry.components is None:
                continue
            known = dashboard.id if dashboard is not None else None
            await self._components_of(section, record.entry, known, rows.get(known or 0, []))

    async def _components_of(
        self, section: Section, entry: Entry, dashboard: int | None, rows: Sequence[DashboardComponentRow]
    ) -> None:
        """Save the components of one dashboard; `dashboard` None: it cannot be saved itself, so they are checked."""
        inner = entry.components or ()
        records = [self._resolver.record(one, self.problems, dashboard_id=dashboard or 1) for one in inner]
        usable = [record for record in records if record.usable and dashboard is not None]
        existing = [section.kind.entered(row) for row in rows]
        found = match_components([_content(record.values) for record in usable], [_content(row) for row in existing])
        matched = [None if place is None else rows[place] for place in found]
        places = positions([None if row is None else (row.position, row.id) for row in matched])
        in_order = keeping_order(found)
        for index, (record, row, position) in enumerate(zip(usable, matched, places, strict=True)):
            record.values["position"] = position
            await self._save(record, row, moved=index not in in_order)
        for record in records:
            if record not in usable:
                await self._check(record)
        for place, row in enumerate(rows):
            if place not in found:
                own = section.kind.subject(existing[place])
                await self._leave_or_remove(section, row, f"{entry.subject} › {own}")

    # Single records

    async def _save(self, record: Record, row: Any, *, moved: bool = False) -> Any:
        """Create or update the row. Return None when something is wrong with the record."""
        section, kind = record.entry.section, record.entry.section.kind
        if row is not None:
            record.values.update({name: getattr(row, name) for name in section.file.kept_from_row})
        before = None if row is None else kind.entered(row)
        try:
            if row is None:
                row = await self._store.create(self._database, kind, record.values, self._actor)
            else:
                row = await self._store.update(self._database, kind, row, record.values, self._actor)
        except (InvalidRecordError, DuplicateRecordError) as error:
            self._complain(record, error)
            return None
        self._tell(record.entry, before, kind.entered(row), moved=moved)
        return row

    def _tell(self, entry: Entry, before: dict[str, Any] | None, after: dict[str, Any], *, moved: bool) -> None:
        """Put what happened to a record into the plan."""
        if before is not None and same(before, after):
            self._unchanged += 1
            return
        section = entry.section
        if before is None:
            given = {name: value for name, value in after.items() if not _goes_without_saying(section, name, value)}
            found = hidden_differences(None, _shown(section, given))
            self._changes.append(Change(Verb.ADD, section.name, entry.subject, found))
            return
        found = hidden_differences(_shown(section, before), _shown(section, after))
        if moved:
            found = (Difference("position", before["position"], after["position"]), *found)
        self._changes.append(Change(Verb.CHANGE if found else Verb.SHIFT, section.name, entry.subject, found))

    async def _check(self, record: Record) -> None:
        """Find what else is wrong with a record that cannot be saved."""
        try:
            await self._store.validation.check(self._database, record.entry.section.kind, record.values)
        except InvalidRecordError as error:
            self._complain(record, error)

    def _complain(self, record: Record, error: InvalidRecordError | DuplicateRecordError) -> None:
        found = error.errors if isinstance(error, InvalidRecordError) else (FieldError(error.field, error.message),)
        for problem in found:
            if not self._follows_from_another(record, problem):
                self.problems.append(record.entry.problem(problem.field, problem.message))

    def _follows_from_another(self, record: Record, error: FieldError) -> bool:
        """Tell whether an error follows from another one that was reported."""
        if error.field in (*record.reported, "dashboard_id"):
            return True
        if error.field == "guild_id":
            return bool(self.problems) and record.values["guild_id"] in self._resolver.declared_guilds
        table = record.entry.section.kind.types
        types = SECTIONS_BY_TABLE.get(table.__tablename__) if table is not None else None
        entries = self._entries.by_section.get(types, ()) if types is not None else ()
        declared = {entry.values.get("name") for entry in entries}
        return error.field == "type" and bool(self.problems) and record.values.get("type") in declared

    async def _leave_or_remove_all(self, left: Sequence[tuple[Section, Any]]) -> None:
        """Remove what refers to others before them: later sections first, and again what could not go at first."""
        waiting = list(reversed(left))
        count = -1
        while waiting and len(waiting) != count:
            count = len(waiting)
            refused: list[Problem] = []
            again: list[tuple[Section, Any]] = []
            for section, row in waiting:
                subject = self._row_subject(section, row)
                try:
                    await self._leave_or_remove(section, row, subject)
                except InvalidRecordError as error:
                    text = "; ".join(found.message for found in error.errors)
                    refused.append(Problem(self._entries.places[section], text, subject=subject))
                    again.append((section, row))
            waiting = again
        self.problems += refused if waiting else ()

    async def _leave_or_remove(self, section: Section, row: Any, subject: str) -> None:
        if self._prune:
            await self._store.delete(self._database, section.kind, row, self._actor)
        change = Change(Verb.REMOVE, section.name, subject)
        (self._changes if self._prune else self._prunable).append(change)

    def _row_subject(self, section: Section, row: Any) -> str:
        subject = section.kind.subject(section.kind.entered(row))
        guild = getattr(row, "guild_id", None)
        return subject if guild is None else f"{subject} of {self._resolver.guild_name(guild)}"


def _content(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a component what it is, without where it stands."""
    return {name: value for name, value in values.items() if name not in ("dashboard_id", "position")}


def _shown(section: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values under the names that files have, without what says which record it is."""
    left_out = {"dashboard_id", "position", *section.identity}
    return {section.file_field(name): readable(name, value) for name, value in values.items() if name not in left_out}


def _goes_without_saying(section: Section, name: str, value: Any) -> bool:
    """Tell whether a field of a new record is as it is by default, or stands in its title."""
    if name in section.file.in_subject:
        return True
    known = defaults(section.kind)
    return name in known and same(known[name], value)

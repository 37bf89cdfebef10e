"""Brings the catalog into the database: what is missing is added once, what a user changed or removed stays so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.definitions import catalog
from app.definitions.acting import act_as
from app.definitions.actors import CATALOG_ACTOR
from app.definitions.builtin_types import TypeDescription, describe_types
from app.definitions.files.applying import LOCK, Applying
from app.definitions.files.documents import read_document
from app.definitions.files.entries import Record
from app.definitions.files.problems import ConfigurationError, Problem
from app.definitions.files.sections import SECTIONS
from app.definitions.store import RecordStore
from app.shared.database.models import SettingRow

_FOLDERS = ("", "component_types", "integrations")
_RENEWED = (SECTIONS["component_types"], SECTIONS["data_source_types"])
_WHOLE = "catalog"
"""Has the mark of a catalog that is in the database as a whole, so that the next start need not read it."""
_DESCRIPTION = "What the catalog has added; take an entry out to have it added again"
Marks = dict[str, str]
"""What was added, by its name such as `services/collector`: the name, and after an @ a digest of what is renewed."""
log = structlog.get_logger(__name__)


async def seed(
    sessions: async_sessionmaker[AsyncSession],
    make_store: Callable[[], RecordStore],
    types: Sequence[TypeDescription],
    texts: Mapping[str, str] | None = None,
) -> None:
    """Describe the builtin types, add what of the catalog was never added, and renew what no one changed.

    Safe to repeat. What cannot be added now is logged, and tried again at the next start: no definition of a user's can
    keep the program from starting. `make_store` is called where there is something to do. `texts` are the files by
    name, without it the catalog's own.
    """
    if texts is None:
        texts = {f"{folder}/{name}": text for folder in _FOLDERS for name, text in catalog.texts(folder).items()}
    async with sessions.begin() as database:
        marks = await _begin(database)
        await describe_types(database, types)
        if marks.get(_WHOLE) == _whole(texts, marks):
            return
        additions = _Additions(marks)
        applying = Applying(database, make_store(), CATALOG_ACTOR, chosen=additions.choose)
        await applying.save([read_document(text, name) for name, text in texts.items()])
        for problem in applying.problems:
            log.warning("a part of the catalog cannot be added", problem=str(problem))
        marks |= additions.added(applying.problems)
        whole = {} if applying.problems else {_WHOLE: _whole(texts, marks)}
        await _remember(database, marks | whole)


async def seed_dashboards(
    sessions: async_sessionmaker[AsyncSession],
    make_store: Callable[[], RecordStore],
    guild_id: int,
    channels: Mapping[str, int | None],
) -> None:
    """Add the catalog's dashboards to a guild; `channels` gives the channel of each by its key (`this-machine`).

    A dashboard that was added to this guild before, or one of the same name, is left as it is. Raises
    ConfigurationError, such as for a channel of another guild.
    """
    async with sessions.begin() as database:
        marks = await _begin(database)
        texts = {f"dashboards/{guild_id}/{key}": (key, text) for key, text in dashboard_texts().items()}
        documents = [
            read_document(text, f"{key}.yaml", place=(guild_id, channels.get(key)))
            for mark, (key, text) in texts.items()
            if mark not in marks
        ]
        if not documents:
            return
        applying = Applying(database, make_store(), CATALOG_ACTOR, chosen=lambda _, row: row is None)
        await applying.save(documents)
        if applying.problems:
            raise ConfigurationError(applying.problems)
        await _remember(database, marks | {mark: mark for mark in texts})


def dashboard_texts() -> dict[str, str]:
    """Return the files of the catalog's dashboards by key. A file's number is its place, not its key."""
    texts = catalog.texts("dashboards")
    return {name.removesuffix(".yaml").partition("-")[2]: text for name, text in texts.items()}


class _Additions:
    """Chooses what was never added, and types that are still as they were added."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._seen: list[tuple[str, str, str]] = []

    def choose(self, record: Record, row: Any) -> bool:
        """Tell whether the record is to be saved; `row` is the one of its name, if there is one."""
        section, values = record.entry.section, record.values
        name = f"{section.name}/{values['name']}"
        mark = f"{name}@{catalog.digest(values)}" if section in _RENEWED else name
        self._seen.append((record.entry.document.file, name, mark))
        before = self._marks.get(name)
        if before is None or row is None:
            return before is None and row is None
        return before != mark and before == f"{name}@{_digest_of(row)}"

    def added(self, problems: Sequence[Problem]) -> Marks:
        """Return the marks of all that was looked at, but for files that have a problem."""
        failed = {problem.place.file for problem in problems}
        return {name: mark for file, name, mark in self._seen if file not in failed}


def _digest_of(row: Any) -> str:
    return catalog.digest({column: getattr(row, column) for column in catalog.CONTENT})


def _whole(texts: Mapping[str, str], marks: Marks) -> str:
    """Return the mark of these texts with these marks: without an entry that a user takes out, it is another one."""
    others = sorted(mark for name, mark in marks.items() if name != _WHOLE and not name.startswith("dashboards/"))
    return f"{_WHOLE}@{catalog.mark_of(chr(0).join([*others, *texts.values()]))}"


async def _begin(database: AsyncSession) -> Marks:
    """Return the marks. Two programs may start at once: the second waits here and finds what the first has added."""
    await database.execute(LOCK)
    await act_as(database, CATALOG_ACTOR)
    kept = await database.scalar(select(SettingRow.value).where(SettingRow.key == catalog.SEEDED_SETTING))
    return {mark.partition("@")[0]: mark for mark in kept or () if isinstance(mark, str)}


async def _remember(database: AsyncSession, marks: Marks) -> None:
    values = {"key": catalog.SEEDED_SETTING, "value": sorted(marks.values()), "description": _DESCRIPTION}
    statement = insert(SettingRow).values(values)
    await database.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"value": statement.excluded.value},
            where=SettingRow.value.is_distinct_from(statement.excluded.value),
        )
    )

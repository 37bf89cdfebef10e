"""The gallery: every component type with realistic data, on a simulated Discord and a database of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources.abc import Traversable
from itertools import islice
from typing import Any

import asyncpg

from app.bot.application.collecting.history_writer import samples_of
from app.bot.domain.readings.history import Sample
from app.bot.infrastructure.repositories import PostgresHistory
from app.bot.infrastructure.sources.simulated import Simulated
from app.cli.provision import catalog_store
from app.definitions import catalog
from app.definitions.actors import CATALOG_ACTOR
from app.definitions.files.applying import apply_documents
from app.definitions.files.documents import Document, read_document
from app.shared.database.core.connection import connect
from app.shared.database.core.engine import open_sessions
from app.shared.database.core.pool import create_pool
from app.shared.database.core.urls import DatabaseUrls

_FOLDER = "gallery"
_BATCH = 10_000
_POST_SECONDS = 10
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<count>\d+)(?P<unit>[smhd])(?: at (?P<hour>\d\d):(?P<minute>\d\d))?")


def gallery(now: datetime | None = None, folder: str | Traversable = _FOLDER) -> dict[str, list[dict[str, Any]]]:
    """Return the definitions by section: data sources, and dashboards with their components."""
    found: dict[str, list[dict[str, Any]]] = {}
    for document in _documents(now or datetime.now(UTC), folder=folder):
        for section, entries in document.root.data().items():
            found.setdefault(section, []).extend(entries)
    return found


def pictures() -> dict[str, tuple[str, bytes]]:
    """Return name and content of the pictures by the addresses that the gallery's dashboards name."""
    return {f"https://pictures.example.org/{name}": (name, data) for name, data in catalog.pictures().items()}


async def define_gallery(urls: DatabaseUrls, guild_id: int, channels: Mapping[str, int]) -> None:
    """Bring the gallery and a past of three months into the database, its dashboards into the page's channel."""
    sources, *others = _documents(datetime.now(UTC), (guild_id, channels["homelab"]))
    store = catalog_store()
    connection: asyncpg.Connection = await connect(urls.owner, "homelab gallery")
    try:
        async with open_sessions(urls.owner, "homelab gallery") as sessions:
            await apply_documents(sessions, store, CATALOG_ACTOR, [sources])
            await _write_past(connection, urls.bot)
            for document in others:  # one after the other, so that they stand in the channel as the files do here
                await apply_documents(sessions, store, CATALOG_ACTOR, [document])
                await _until_posted(connection, [entry["name"] for entry in document.root.data()["dashboards"]])
    finally:
        await connection.close()


def _documents(
    now: datetime, place: tuple[int, int | None] | None = None, folder: str | Traversable = _FOLDER
) -> list[Document]:
    """Return the gallery's files, the data sources first.

    Times in the files are written from now on, such as `!time +3h` or `!time +1d at 18:30` (UTC): events are always
    soon, and releases always new.
    """
    tags = {"!time": lambda text: _time(text, now)}
    texts = catalog.texts(folder)
    return [read_document(text, name, place=place, tags=tags) for name, text in texts.items()]


async def _write_past(connection: asyncpg.Connection, bot_url: str) -> None:
    sources = await connection.fetch("SELECT id, config FROM data_sources WHERE type = 'simulated'")
    pool = await create_pool(bot_url)
    try:
        past = PostgresHistory(pool)
        now = datetime.now(UTC)
        await past.make_partitions(now - timedelta(days=91), now)
        for source in sources:
            simulated = Simulated.model_validate(source["config"])
            for batch in _batches(_samples(source["id"], simulated, now)):
                await past.write(batch)
        while await past.roll_up(now):
            pass
    finally:
        await pool.close()


async def _until_posted(connection: asyncpg.Connection, names: Sequence[str]) -> None:
    """Wait until every message of dashboards is there, but not for ever: the channel shows what is wrong."""
    for _ in range(_POST_SECONDS):
        await asyncio.sleep(1)
        posted = await connection.fetchval(
            "SELECT bool_and(message.state = 'posted') FROM dashboard_messages AS message "
            "JOIN dashboard_placements AS placement ON placement.id = message.placement_id "
            "JOIN dashboards ON dashboards.id = placement.dashboard_id WHERE dashboards.name = ANY($1)",
            names,
        )
        if posted:
            return


def _samples(source_id: int, source: Simulated, now: datetime) -> Iterator[Sample]:
    """Yield what a source would have given: seldom long ago, often lately."""
    for moment in _moments(now):
        yield from samples_of(source_id, source.at(moment))


def _moments(now: datetime) -> Iterator[datetime]:
    day = 86_400
    for first, last, seconds in (
        (90 * day, 30 * day, 7_200),
        (30 * day, 2 * day, 900),
        (2 * day, 7_200, 300),
        (7_200, 0, 15),
    ):
        for ago in range(first, last, -seconds):
            yield now - timedelta(seconds=ago)


def _batches(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    while batch := list(islice(samples, _BATCH)):
        yield batch


def _time(text: str, now: datetime) -> str:
    """ISO 8601 for a distance from now. Raises ValueError for what is none."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text}” is no distance such as +3h or -1d at 18:30")
    seconds = int(match["count"]) * _UNITS[match["unit"]]
    moment = now + timedelta(seconds=seconds if match["sign"] == "+" else -seconds)
    if match["hour"]:
        moment = moment.replace(hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0)
    return moment.isoformat()

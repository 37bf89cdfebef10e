"""The gallery: every component type with realistic data, on a simulated Discord and a database of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import islice
from typing import Any

import asyncpg

from app.bot.application.collecting.history_writer import samples_of
from app.bot.domain.readings.history import Sample
from app.bot.infrastructure.repositories import PostgresHistory
from app.bot.infrastructure.sources.simulated import Simulated
from app.definitions.catalog.seed import act_as_catalog, insert_dashboard, insert_row
from app.shared.database.core.connection import connect
from app.shared.database.core.pool import create_pool
from app.shared.database.core.urls import DatabaseUrls
from app.shared.yaml import read_yaml

_BATCH = 10_000
_POST_SECONDS = 10
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<count>\d+)(?P<unit>[smhd])(?: at (?P<hour>\d\d):(?P<minute>\d\d))?")


def gallery(now: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """The definitions by table: data sources, actions, and dashboards with their components.

    Times in the files are written from now on, such as `!time +3h` or `!time +1d at 18:30` (UTC): events are always
    soon, and releases always new.
    """
    moment = now or datetime.now(UTC)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted((files("app.definitions.catalog") / "gallery").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            text = entry.read_text(encoding="utf-8")
            loaded = read_yaml(text, entry.name, tags={"!time": lambda text: _time(text, moment)}).data()
            for table, rows in loaded.items():
                found.setdefault(table, []).extend(rows)
    return found


def pictures() -> dict[str, tuple[str, bytes]]:
    """Name and content of the pictures by the addresses that the gallery's dashboards name."""
    found = (entry for entry in (files("app.definitions.catalog") / "gallery").iterdir() if entry.name.endswith(".png"))
    return {f"https://pictures.example.org/{entry.name}": (entry.name, entry.read_bytes()) for entry in found}


async def define_gallery(urls: DatabaseUrls, guild_id: int, channels: Mapping[str, int]) -> None:
    """Bring the gallery and a past of three months into the database, its dashboards into the page's channel."""
    definitions = gallery()
    dashboards = definitions.pop("dashboards")
    connection: asyncpg.Connection = await connect(urls.owner, "homelab gallery")
    try:
        async with connection.transaction():
            await act_as_catalog(connection)
            for table, rows in definitions.items():
                for row in rows:
                    await insert_row(connection, table, row)
        await _write_past(connection, urls.bot)
        for row in dashboards:  # one after the other, so that they stand in the channel as they do here
            async with connection.transaction():
                await act_as_catalog(connection)
                await insert_dashboard(connection, guild_id, channels["homelab"], row)
            await _until_posted(connection, row["name"])
    finally:
        await connection.close()


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


async def _until_posted(connection: asyncpg.Connection, name: str) -> None:
    """Wait until every message of a dashboard is there, but not for ever: the channel shows what is wrong."""
    for _ in range(_POST_SECONDS):
        await asyncio.sleep(1)
        posted = await connection.fetchval(
            "SELECT bool_and(message.state = 'posted') FROM dashboard_messages AS message "
            "JOIN dashboards ON dashboards.id = message.dashboard_id WHERE dashboards.name = $1",
            name,
        )
        if posted:
            return


def _samples(source_id: int, source: Simulated, now: datetime) -> Iterator[Sample]:
    """What a source would have given: seldom long ago, often lately."""
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
